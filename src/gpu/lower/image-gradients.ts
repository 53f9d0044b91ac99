/** Lowerings of the gradients over images. */
import { averagePoolGradient } from '../../../kernels/average_pool_gradient.ts';
import { convInputGradient } from '../../../kernels/conv_input_gradient.ts';
import { convWeightGradient, weightGradientSlices } from '../../../kernels/conv_weight_gradient.ts';
import { maxPoolGradient } from '../../../kernels/max_pool_gradient.ts';
import { randomConvTransposed } from '../../../kernels/random_conv_transposed.ts';
import { gradientBorder, windowBorder } from '../../../kernels/window_tile.ts';
import { type Window, windowCounts } from '../../core/window.ts';
import { elements, type Value } from '../../graph/value.ts';
import { borderScratch, filterWeights, type Image, randomGroups, rowsOf, withBorder } from './image-border.ts';
import { bind, type LoweringTable } from './lowering.ts';

/** dz as images of `filters` channels. */
function gradientImage(window: Window, filters: number): Image {
  const [height, width] = windowCounts(window);
  return { height, width, channels: filters };
}

const gradientScratch = ({ dz, window, filters }: { dz: Value; window: Window; filters: number }) =>
  borderScratch(dz, gradientImage(window, filters), gradientBorder(window));

export const imageGradient: LoweringTable<'imageGradient'> = {
  randomConvTransposed: {
    scratchBytes: gradientScratch,
    lower({ dz, weights, window, filters, dx }, { operand, keysOf, choice, scratch: [room] }) {
      const rows = rowsOf(dz);
      const keys = keysOf(weights, filters);
      const args = { rows, window, filters, weights: filterWeights(weights), keys, ...randomGroups(choice) };
      return withBorder(rows, gradientImage(window, filters), gradientBorder(window), operand(dz), room, (dz) =>
        randomConvTransposed({ ...args, dz, dx: operand(dx) }),
      );
    },
  },
  convInputGradient: {
    scratchBytes: gradientScratch,
    lower({ dz, w, window, filters, dx }, { operand, scratch: [room] }) {
      const rows = rowsOf(dz);
      return withBorder(rows, gradientImage(window, filters), gradientBorder(window), operand(dz), room, (dz) =>
        convInputGradient({ rows, window, filters, dz, w: operand(w), dx: operand(dx) }),
      );
    },
  },
  convWeightGradient: {
    scratchBytes: ({ x, dw, window, filters }) => [
      4 * elements(dw) * weightGradientSlices({ rows: rowsOf(x), window, filters }),
      ...borderScratch(x, window, windowBorder(window)),
    ],
    lower({ x, dz, window, filters, dw }, { operand, scratch: [parts, room] }) {
      const rows = rowsOf(x);
      return withBorder(rows, window, windowBorder(window), operand(x), room, (x) =>
        convWeightGradient({ rows, window, filters, x, dz: operand(dz), parts: parts!, dw: operand(dw) }),
      );
    },
  },
  maxPoolGradient: {
    lower: (node, { operand }) => [maxPoolGradient({ ...bind(node, operand), rows: rowsOf(node.x) })],
  },
  averagePoolGradient: {
    lower: (node, { operand }) => [averagePoolGradient({ ...bind(node, operand), rows: rowsOf(node.dy) })],
  },
};
