/** Lowerings of dense prediction, part of every page. */
import { epilogue } from '../../../kernels/epilogue.ts';
import { matmul } from '../../../kernels/matmul.ts';
import { matmulRows } from '../../../kernels/matmul_rows.ts';
import { size } from '../../graph/value.ts';
import { chooseForward } from '../choose/choose.ts';
import { keyedUnits } from '../choose/forward-kernels.ts';
import { bind, epilogueSizes, type LoweringTable, problemOf, sizesOf } from './lowering.ts';

export const dense: LoweringTable<'dense'> = {
  randomMatmul: {
    fuses: 'scale',
    scratchBytes: (node, choice) => chooseForward(problemOf(node), choice).scratchBytes(problemOf(node)),
    lower(node, { operand, keysOf, fused, choice, scratch }) {
      const { x, z, weights } = node;
      const problem = problemOf(node);
      const args = {
        ...problem,
        x: operand(x),
        keys: keysOf(weights, keyedUnits(problem)),
        y: operand(fused?.y ?? z),
        ...(fused && { epilogue: bind(fused, operand) }),
      };
      return chooseForward(problem, choice).launch(args, scratch);
    },
  },
  matmul: {
    fuses: 'bias',
    lower(node, { operand, fused, choice }) {
      const k = size(node.a, node.transposeA ? 0 : 1);
      const tail = fused && { epilogue: bind(fused, operand) };
      const args = { ...bind(node, operand), ...sizesOf(node.c), k, c: operand(fused?.y ?? node.c), ...tail };
      // matmul would compute fewer rows than an invocation owns several times.
      const few = args.m < 4 && !node.transposeA && !node.transposeB;
      return [few ? matmulRows(args, !choice.software && !choice.inOrder) : matmul(args)];
    },
  },
  epilogue: { lower: (node, { operand }) => [epilogue({ ...bind(node, operand), ...epilogueSizes(node) })] },
};
