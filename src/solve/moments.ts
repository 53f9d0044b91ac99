/**
 * Sums over rows of features and targets, of constant size however many rows there were: all that ridge regression
 * needs to know.
 */
import { SymmetricMatrix } from './algebra.ts';
import { type Standard, standardFrom } from './standard.ts';

export class Moments {
  rows = 0;
  readonly columns: number;
  readonly outputs: number;
  /** (columns, columns): sums of the products of features. */
  readonly products: SymmetricMatrix;
  /** (columns): sums of the features. */
  readonly sums: Float64Array;
  /** (columns, outputs): sums of the products of features and targets. */
  readonly cross: Float64Array;
  /** (outputs): sums of the targets. */
  readonly targetSums: Float64Array;

  private constructor(products: SymmetricMatrix, outputs: number) {
    this.products = products;
    this.columns = products.size;
    this.outputs = outputs;
    this.sums = new Float64Array(this.columns);
    this.cross = new Float64Array(this.columns * outputs);
    this.targetSums = new Float64Array(outputs);
  }

  static async zeros(columns: number, outputs: number): Promise<Moments> {
    return new Moments(await SymmetricMatrix.zeros(columns), outputs);
  }

  /** With these products, which it takes over; all other sums are 0. */
  static of(products: SymmetricMatrix, outputs: number): Moments {
    return new Moments(products, outputs);
  }

  /**
   * Adds a tile of rows. `gram`: (columns, columns), its upper triangle. `extended`: (columns, 1 + outputs), the products
   * of the features with 1 and with each target. `targets`: (rows, outputs).
   */
  add(rows: number, gram: Float32Array, extended: Float32Array, targets: Float32Array): void {
    const { outputs } = this;
    this.rows += rows;
    this.products.addMatrix(gram);
    for (let c = 0; c < this.columns; c++) {
      const at = c * (1 + outputs);
      this.sums[c]! += extended[at]!;
      for (let o = 0; o < outputs; o++) this.cross[c * outputs + o]! += extended[at + 1 + o]!;
    }
    targets.forEach((value, i) => {
      this.targetSums[i % outputs]! += value;
    });
  }

  /** Mean and factor of each feature. */
  standard(): Standard {
    const { rows } = this;
    const mean = this.sums.map((sum) => sum / rows);
    const variance = mean.map((m, c) => Math.max(0, this.products.row(c)[c]! / rows - m ** 2));
    return standardFrom(rows, mean, variance);
  }

  /** Sums of the products of centred, scaled features: turns `products` into them, in place. */
  standardise({ mean, factor }: Standard): SymmetricMatrix {
    const { rows, columns } = this;
    for (let i = 0; i < columns; i++) {
      const row = this.products.row(i);
      const shift = rows * mean[i]!;
      const scale = factor[i]!;
      for (let j = i; j < columns; j++) row[j] = (row[j]! - shift * mean[j]!) * scale * factor[j]!;
    }
    return this.products;
  }

  /** (columns, outputs): sums of the products of centred, scaled features and centred targets. */
  standardisedCross({ mean, factor }: Standard): Float64Array<ArrayBuffer> {
    const { outputs } = this;
    return Float64Array.from(this.cross, (value, i) => {
      const c = Math.floor(i / outputs);
      return (value - mean[c]! * this.targetSums[i % outputs]!) * factor[c]!;
    });
  }
}
