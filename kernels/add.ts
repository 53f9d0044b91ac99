import source from './add.wgsl';
import { type Dispatch, linearGrid } from './dispatch.ts';

/** c = a + b, `count` f32 each. */
export const add = <B>({ count, ...buffers }: { count: number; a: B; b: B; c: B }): Dispatch<B> => ({
  source,
  params: { count },
  buffers,
  grid: linearGrid(count, 64),
});
