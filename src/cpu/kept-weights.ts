/** Generated weights that stay in memory, a byte each, for the kernel of one row (wasm/random_matmul_row.ts). */
import { OutOfMemoryError } from '../core/errors.ts';
import type { Machine } from './machine.ts';
import { cpuKernels, type Kept, kindOf, placeKeys, type RandomProduct, upTo } from './random_matmul.ts';

/** Most inputs of a block of kept weights: four for each of WORDS in wasm/integers.ts. Blocks are of one size. */
const BLOCK_INPUTS = 512;

/** Bytes in which the weights of a product can be kept; none where that kernel does not compute it. */
export function keptBytes({ m, k, n, weights }: RandomProduct): number | undefined {
  const isRow = m === 1 && cpuKernels.row.weights.includes(weights.distribution);
  return isRow ? upTo(k, 4 * Math.ceil(k / BLOCK_INPUTS)) * upTo(n, 16) : undefined;
}

/**
 * The weights of one product. They are generated into memory the second time that they are asked for: who predicts once neither waits
 * nor pays for it.
 */
export class KeptWeights implements Kept {
  readonly units: number;
  readonly #machine: Machine;
  readonly #product: RandomProduct;
  #asked = 0;
  #address = 0;

  constructor(machine: Machine, product: RandomProduct) {
    this.units = upTo(product.n, 16);
    this.#machine = machine;
    this.#product = product;
  }

  /** Where they are; 0: not yet, or memory is short. The machine decodes as their distribution. */
  address(): number {
    if (++this.#asked === 2) this.#generate();
    return this.#address;
  }

  #generate(): void {
    const { k, n, weights, from } = this.#product;
    const machine = this.#machine;
    try {
      const [key0, key1] = placeKeys(machine, weights, n, from);
      const address = machine.allocate(keptBytes(this.#product)! + 64); // and room for what is written behind it
      machine.kernels.keepIntegers(k, key0, key1, kindOf(weights.distribution), this.units, address);
      this.#address = address;
    } catch (error) {
      if (!(error instanceof OutOfMemoryError)) throw error;
    }
  }
}
