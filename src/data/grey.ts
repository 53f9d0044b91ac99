/** Grey pictures: what the command line reads from a file, and a page from a canvas. */
import { Resampler, type Size } from './resample.ts';

export interface Grey extends Size {
  /** (height, width) from 0 to 1. */
  readonly grey: Float32Array<ArrayBuffer>;
}

const rowOf = ({ width, grey }: Grey, y: number) => grey.subarray(y * width, (y + 1) * width);

/** Mean of the outermost pixels, from rows in order. */
export class BorderMean {
  readonly #size: Size;
  #sum = 0;
  #count = 0;

  constructor(size: Size) {
    this.#size = size;
  }

  addRow(y: number, row: Float32Array): void {
    const { width, height } = this.#size;
    const step = y === 0 || y === height - 1 ? 1 : Math.max(1, width - 1);
    for (let x = 0; x < width; x += step) {
      this.#sum += row[x]!;
      this.#count++;
    }
  }

  result(): number {
    return this.#sum / this.#count;
  }
}

/** Mean of the outermost pixels. */
export function borderMean(picture: Grey): number {
  const mean = new BorderMean(picture);
  for (let y = 0; y < picture.height; y++) mean.addRow(y, rowOf(picture, y));
  return mean.result();
}

/** To another size. */
export function resample(picture: Grey, toWidth: number, toHeight: number): Grey {
  const size = { width: toWidth, height: toHeight };
  const resampler = new Resampler(picture, size);
  for (let y = 0; y < picture.height; y++) resampler.addRow(y, rowOf(picture, y));
  return { ...size, grey: resampler.result() };
}
