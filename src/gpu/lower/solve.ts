/** Lowerings of the solvers. */
import { gram } from '../../../kernels/gram.ts';
import { bind, type LoweringTable, sizesOf } from './lowering.ts';

export const solve: LoweringTable<'solve'> = {
  gram: { lower: (node, { operand }) => [gram({ ...bind(node, operand), ...sizesOf(node.x) })] },
};
