/** Frozen prefixes of data sets, computed once: what the layers before the first trained one make of the data. */
import type { DataSet } from '../data/dataset.ts';
import type { Backend } from './backend.ts';
import type { Prefixes } from './training.ts';

/**
 * Shares frozen prefixes between trainings: networks with the same first random layer and the same seed have the same one. It owns
 * their memory until it is disposed.
 */
export class PrefixCache implements Prefixes {
  readonly #cached = new Map<DataSet, Map<string, unknown>>();
  readonly #disposals: (() => void)[] = [];

  /** `context`: the backend that computes and holds the prefixes. */
  constructor(readonly context: Backend) {}

  async get<T>(
    data: DataSet,
    key: string | undefined,
    compute: () => Promise<T>,
    dispose: (prefix: T) => void,
  ): Promise<T> {
    const cached = this.#cached.get(data) ?? new Map<string, unknown>();
    this.#cached.set(data, cached);
    if (key !== undefined && cached.has(key)) return cached.get(key) as T;
    const prefix = await compute();
    this.#disposals.push(() => dispose(prefix));
    if (key !== undefined) cached.set(key, prefix);
    return prefix;
  }

  dispose(): void {
    for (const dispose of this.#disposals.splice(0)) dispose();
    this.#cached.clear();
  }
}
