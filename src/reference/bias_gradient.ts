import type { EpilogueArgs } from './epilogue.ts';
import { epilogueParameterGradient } from './epilogue_parameter_gradient.ts';

/** db (n) = sum over m of dy * g'(z + b). */
export const biasGradient = (args: EpilogueArgs & { dy: ArrayLike<number> }): Float64Array =>
  epilogueParameterGradient({ ...args, u: undefined }).db;
