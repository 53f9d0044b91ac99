import type { Dispatch } from './dispatch.ts';
import { type EpilogueArgs, epilogueDispatch } from './epilogue.ts';
import source from './epilogue_input_gradient.wgsl';

/** dz = u * dy * g'(u * z + b); dy and dz (m, n) f32. */
export const epilogueInputGradient = <B>({
  dy,
  dz,
  ...args
}: EpilogueArgs<B> & { readonly dy: B; readonly dz: B }): Dispatch<B> => {
  const shared = epilogueDispatch(args);
  return { source, ...shared, buffers: { ...shared.buffers, dy, dz } };
};
