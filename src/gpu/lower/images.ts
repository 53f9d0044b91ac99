/** Lowerings of prediction over images. */
import { add } from '../../../kernels/add.ts';
import { averagePool } from '../../../kernels/average_pool.ts';
import { conv } from '../../../kernels/conv.ts';
import { maxPool } from '../../../kernels/max_pool.ts';
import { multiply } from '../../../kernels/multiply.ts';
import { randomConv } from '../../../kernels/random_conv.ts';
import { windowBorder } from '../../../kernels/window_tile.ts';
import { elements } from '../../graph/value.ts';
import { borderScratch, filterWeights, randomGroups, rowsOf, withBorder } from './image-border.ts';
import { bind, type LoweringTable } from './lowering.ts';

export const image: LoweringTable<'image'> = {
  randomConv: {
    fuses: 'scale',
    scratchBytes: ({ x, window }) => borderScratch(x, window, windowBorder(window)),
    lower({ x, weights, window, filters, z }, { operand, keysOf, fused, choice, scratch: [room] }) {
      const rows = rowsOf(x);
      const keys = keysOf(weights, filters);
      const args = { rows, window, filters, weights: filterWeights(weights), keys, ...randomGroups(choice) };
      const tail = fused && { epilogue: bind(fused, operand) };
      return withBorder(rows, window, windowBorder(window), operand(x), room, (x) => [
        randomConv({ ...args, x, y: operand(fused?.y ?? z), ...tail }),
      ]);
    },
  },
  conv: {
    fuses: 'bias',
    scratchBytes: ({ x, window }) => borderScratch(x, window, windowBorder(window)),
    lower({ x, w, window, filters, z }, { operand, fused, scratch: [room] }) {
      const rows = rowsOf(x);
      const tail = fused && { epilogue: bind(fused, operand) };
      return withBorder(rows, window, windowBorder(window), operand(x), room, (x) => [
        conv({ rows, window, filters, x, w: operand(w), y: operand(fused?.y ?? z), ...tail }),
      ]);
    },
  },
  maxPool: { lower: (node, { operand }) => [maxPool({ ...bind(node, operand), rows: rowsOf(node.x) })] },
  averagePool: { lower: (node, { operand }) => [averagePool({ ...bind(node, operand), rows: rowsOf(node.x) })] },
  add: { lower: (node, { operand }) => [add({ ...bind(node, operand), count: elements(node.c) })] },
  multiply: { lower: (node, { operand }) => [multiply({ ...bind(node, operand), count: elements(node.c) })] },
};
