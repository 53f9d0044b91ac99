import type { Dispatch } from './dispatch.ts';
import source from './gram.wgsl';

export interface GramArgs<B> {
  readonly m: number;
  readonly n: number;
  /** (m, n) f32. */
  readonly x: B;
  /** (n, n) f32, written. */
  readonly g: B;
}

/** g = x'x: its upper triangle, and zeros below it. */
export function gram<B>({ m, n, x, g }: GramArgs<B>): Dispatch<B> {
  const groups = Math.ceil(n / 64);
  return { source, params: { m, n }, buffers: { x, g }, grid: [groups, groups, 1] };
}
