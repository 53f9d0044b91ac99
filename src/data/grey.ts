/** Grey pictures: what the command line reads from a PNG, and a page from a canvas. */

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Grey extends Size {
  /** (height, width) from 0 to 1. */
  readonly grey: Float32Array<ArrayBuffer>;
}

const rowOf = ({ width, grey }: Grey, y: number) => grey.subarray(y * width, (y + 1) * width);

/** Mean of the outermost pixels, from rows that come in order. */
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

/** Resamples rows that come in order: the mean over the area that each target pixel covers. */
export class AreaMean {
  readonly #from: Size;
  readonly #to: Size;
  readonly #sums: Float64Array;

  constructor(from: Size, to: Size) {
    this.#from = from;
    this.#to = to;
    this.#sums = new Float64Array(to.width * to.height);
  }

  addRow(y: number, row: Float32Array): void {
    const { height } = this.#from;
    const last = y === height - 1;
    const start = Math.max(0, Math.floor((y * this.#to.height) / height) - 1);
    for (let target = start; target < this.#to.height; target++) {
      const top = (target * height) / this.#to.height;
      const bottom = ((target + 1) * height) / this.#to.height;
      if (Math.floor(top) > y) break;
      // Rounding may put the last edge a hair below the picture: its last row stands in.
      for (let line = y; line < bottom && (line === y || last); line++) {
        this.#addLine(target, Math.min(line + 1, bottom) - Math.max(line, top), row);
      }
    }
  }

  #addLine(target: number, tall: number, row: Float32Array): void {
    const { width } = this.#from;
    const across = this.#to.width;
    for (let x = 0; x < across; x++) {
      const [left, right] = [(x * width) / across, ((x + 1) * width) / across];
      let sum = this.#sums[target * across + x]!;
      for (let column = Math.floor(left); column < right; column++) {
        const wide = Math.min(column + 1, right) - Math.max(column, left);
        sum += tall * wide * row[Math.min(column, width - 1)]!;
      }
      this.#sums[target * across + x] = sum;
    }
  }

  /** (height, width) of the target. */
  result(): Float32Array<ArrayBuffer> {
    const { width, height } = this.#to;
    const edges = (from: number, to: number, i: number) => ((i + 1) * from) / to - (i * from) / to;
    return Float32Array.from(this.#sums, (sum, i) => {
      const wide = edges(this.#from.width, width, i % width);
      const tall = edges(this.#from.height, height, Math.floor(i / width));
      return sum / (wide * tall);
    });
  }
}

/** Mean over the area that each target pixel covers. */
export function resample(picture: Grey, toWidth: number, toHeight: number): Grey {
  const size = { width: toWidth, height: toHeight };
  const mean = new AreaMean(picture, size);
  for (let y = 0; y < picture.height; y++) mean.addRow(y, rowOf(picture, y));
  return { ...size, grey: mean.result() };
}
