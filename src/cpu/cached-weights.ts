/** Cached generated weights, one byte each, for the kernel of one row (wasm/random_matmul_row.ts). */
import { OutOfMemoryError } from '../core/errors.ts';
import type { Machine } from './machine.ts';
import { cpuKernels, kindOf, placeKeys, type RandomProduct, upTo, type WeightCache } from './random_matmul.ts';

/** Maximum inputs per block of cached weights: four per word of WORDS in wasm/integers.ts. All blocks have one size. */
const BLOCK_INPUTS = 512;

/** Cache size in bytes for the weights of a product; undefined if that kernel does not compute it. */
export function cacheBytes({ m, k, n, weights }: RandomProduct): number | undefined {
  const isRow = m === 1 && cpuKernels.row.weights.includes(weights.distribution);
  return isRow ? upTo(k, 4 * Math.ceil(k / BLOCK_INPUTS)) * upTo(n, 16) : undefined;
}

/**
 * The cached weights of one product. They are generated into memory on the second request, so that a single prediction
 * does not pay for the cache.
 */
export class CachedWeights implements WeightCache {
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

  /** Their address, or 0 on the first request or without memory. The machine must be set to their distribution. */
  address(): number {
    if (++this.#asked === 2) this.#generate();
    return this.#address;
  }

  #generate(): void {
    const { k, n, weights, from } = this.#product;
    const machine = this.#machine;
    try {
      const [key0, key1] = placeKeys(machine, weights, n, from);
      const address = machine.allocate(cacheBytes(this.#product)! + 64); // room for writes past the end
      machine.kernels.cacheIntegers(k, key0, key1, kindOf(weights.distribution), this.units, address);
      this.#address = address;
    } catch (error) {
      if (!(error instanceof OutOfMemoryError)) throw error;
    }
  }
}
