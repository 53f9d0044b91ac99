import { type Dispatch, linearGrid } from './dispatch.ts';
import source from './multiply.wgsl';

/** c = a * b, element by element, `count` f32 each. */
export const multiply = <B>({ count, ...buffers }: { count: number; a: B; b: B; c: B }): Dispatch<B> => ({
  source,
  params: { count },
  buffers,
  grid: linearGrid(count, 64),
});
