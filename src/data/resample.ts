/**
 * Resampling, the same in every place: the command line, pages and model files agree on each pixel. An axis that
 * shrinks takes the mean over the area that each target pixel covers; one that grows is interpolated linearly between
 * the centres of pixels, the outermost of which continue to the edge.
 */

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** For each target pixel of one axis: the first source pixel, the weights from there on, and what they add up to. */
interface Axis {
  readonly first: Int32Array;
  readonly weights: readonly (readonly number[])[];
  readonly sum: Float64Array;
}

function axisOf(from: number, to: number): Axis {
  const first = new Int32Array(to);
  const sum = new Float64Array(to);
  const weights = Array.from({ length: to }, (_, target) => {
    if (to > from) {
      const centre = Math.min(Math.max(((target + 0.5) * from) / to - 0.5, 0), from - 1);
      const left = Math.floor(centre);
      const part = centre - left;
      first[target] = left;
      sum[target] = 1;
      return part === 0 ? [1] : [1 - part, part];
    }
    const [start, end] = [(target * from) / to, ((target + 1) * from) / to];
    first[target] = Math.floor(start);
    sum[target] = end - start;
    const covered: number[] = [];
    // Rounding may put the last edge a hair beyond the last pixel.
    for (let i = Math.floor(start); i < end && i < from; i++) covered.push(Math.min(i + 1, end) - Math.max(i, start));
    return covered;
  });
  return { first, weights, sum };
}

/** Resamples one plane whose rows come in order. */
export class Resampler {
  readonly #columns: Axis;
  readonly #rows: Axis;
  readonly #width: number;
  readonly #sums: Float64Array;
  /** The first target row that still lacks source rows. */
  #next = 0;

  constructor(from: Size, to: Size) {
    this.#columns = axisOf(from.width, to.width);
    this.#rows = axisOf(from.height, to.height);
    this.#width = to.width;
    this.#sums = new Float64Array(to.width * to.height);
  }

  addRow(y: number, row: Float32Array): void {
    const { first, weights } = this.#rows;
    for (let target = this.#next; target < first.length && first[target]! <= y; target++) {
      const weight = weights[target]![y - first[target]!];
      if (weight !== undefined) this.#addLine(target, weight, row);
      else if (target === this.#next) this.#next++;
    }
  }

  #addLine(target: number, tall: number, row: Float32Array): void {
    const { first, weights } = this.#columns;
    for (let x = 0, at = target * this.#width; x < this.#width; x++, at++) {
      const [start, wide] = [first[x]!, weights[x]!];
      let sum = this.#sums[at]!;
      for (let i = 0; i < wide.length; i++) sum += tall * wide[i]! * row[start + i]!;
      this.#sums[at] = sum;
    }
  }

  /** (height, width) of the target. */
  result(): Float32Array<ArrayBuffer> {
    const [columns, rows] = [this.#columns.sum, this.#rows.sum];
    return Float32Array.from(
      this.#sums,
      (sum, i) => sum / (columns[i % this.#width]! * rows[Math.floor(i / this.#width)]!),
    );
  }
}
