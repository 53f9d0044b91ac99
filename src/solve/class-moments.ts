/**
 * Sums over examples of classes, of constant size however many there were: all that ridge regression on classes needs
 * to know. Products of f32 features are exact in float64, so examples come and go, in any order, almost without a trace.
 */
import { SymmetricMatrix } from './algebra.ts';
import { Moments } from './moments.ts';

export class ClassMoments {
  readonly columns: number;
  /** (columns, columns): sums of the products of features with each other. */
  readonly products: SymmetricMatrix;
  /** For each class (columns): sums of the features of its examples, their products with its label. */
  readonly sums: Float64Array<ArrayBuffer>[] = [];
  /** Examples of each class. */
  readonly counts: number[] = [];

  private constructor(products: SymmetricMatrix) {
    this.products = products;
    this.columns = products.size;
  }

  /** No classes and no examples. Throws `OutOfMemoryError`. */
  static async zeros(columns: number): Promise<ClassMoments> {
    return new ClassMoments(await SymmetricMatrix.zeros(columns));
  }

  get rows(): number {
    return this.counts.reduce((sum, count) => sum + count, 0);
  }

  addClass(): void {
    this.sums.push(new Float64Array(this.columns));
    this.counts.push(0);
  }

  /** Adds rows of features (rows, columns) with the class of each, or with `sign` -1 takes them away. */
  add(features: Float32Array, classes: ArrayLike<number>, sign: 1 | -1 = 1): void {
    const { columns, products, sums, counts } = this;
    products.add(features, sign);
    for (let row = 0; row < classes.length; row++) {
      const sum = sums[classes[row]!]!;
      for (let c = 0; c < columns; c++) sum[c]! += sign * features[row * columns + c]!;
      counts[classes[row]!]! += sign;
    }
    if (this.rows === 0) this.#clear();
  }

  /** Adds the sums of other examples; `classOf` says which class here is each of theirs. */
  addAll(other: ClassMoments, classOf: readonly number[]): void {
    for (let i = 0; i < this.columns; i++) {
      const theirs = other.products.row(i);
      const row = this.products.row(i);
      for (let j = i; j < this.columns; j++) row[j]! += theirs[j]!;
    }
    for (const [k, to] of classOf.entries()) {
      const sum = this.sums[to]!;
      for (const [c, value] of other.sums[k]!.entries()) sum[c]! += value;
      this.counts[to]! += other.counts[k]!;
    }
    if (this.rows === 0) this.#clear();
  }

  /** A copy, with classes and examples. */
  async copy(): Promise<ClassMoments> {
    const copy = new ClassMoments(await this.products.copy());
    copy.sums.push(...this.sums.map((sum) => sum.slice()));
    copy.counts.push(...this.counts);
    return copy;
  }

  /** The moments of the regression to 1 for the class of an example and -1 for the others. */
  async moments(): Promise<Moments> {
    const { columns, rows, sums, counts } = this;
    const outputs = counts.length;
    const moments = Moments.of(await this.products.copy(), outputs);
    moments.rows = rows;
    for (const sum of sums) {
      for (let c = 0; c < columns; c++) moments.sums[c]! += sum[c]!;
    }
    for (const [k, sum] of sums.entries()) {
      for (let c = 0; c < columns; c++) moments.cross[c * outputs + k] = 2 * sum[c]! - moments.sums[c]!;
      moments.targetSums[k] = 2 * counts[k]! - rows;
    }
    return moments;
  }

  /** What rounding left is gone with the last example. */
  #clear(): void {
    for (let i = 0; i < this.columns; i++) this.products.row(i).fill(0);
    for (const sum of this.sums) sum.fill(0);
  }
}
