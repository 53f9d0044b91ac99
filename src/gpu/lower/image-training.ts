/** The kernels of gradients over images, and of dropout. */
import { averagePoolGradient } from '../../../kernels/average_pool_gradient.ts';
import { convInputGradient } from '../../../kernels/conv_input_gradient.ts';
import { convWeightGradient, weightGradientSlices } from '../../../kernels/conv_weight_gradient.ts';
import { dropout } from '../../../kernels/dropout.ts';
import { maxPoolGradient } from '../../../kernels/max_pool_gradient.ts';
import { randomConvTransposed } from '../../../kernels/random_conv_transposed.ts';
import { gradientBorder, windowBorder } from '../../../kernels/window_tile.ts';
import { type Window, windowCounts } from '../../core/window.ts';
import { elements, type Value } from '../../graph/graph.ts';
import { bind, type Launchers } from '../plan.ts';
import {
  borderScratch,
  filterWeights,
  type Image,
  imageLaunchers,
  randomGroups,
  rowsOf,
  withBorder,
} from './images.ts';

/** dz as images of `filters` channels. */
function gradientImage(window: Window, filters: number): Image {
  const [height, width] = windowCounts(window);
  return { height, width, channels: filters };
}

const gradientScratch = ({ dz, window, filters }: { dz: Value; window: Window; filters: number }) =>
  borderScratch(dz, gradientImage(window, filters), gradientBorder(window));

export const imageTrainingLaunchers = {
  ...imageLaunchers,
  randomConvTransposed: {
    scratchBytes: gradientScratch,
    launch({ dz, weights, window, filters, dx }, { operand, keysOf, choice, scratch: [room] }) {
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
    launch({ dz, w, window, filters, dx }, { operand, scratch: [room] }) {
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
    launch({ x, dz, window, filters, dw }, { operand, scratch: [parts, room] }) {
      const rows = rowsOf(x);
      return withBorder(rows, window, windowBorder(window), operand(x), room, (x) =>
        convWeightGradient({ rows, window, filters, x, dz: operand(dz), parts: parts!, dw: operand(dw) }),
      );
    },
  },
  maxPoolGradient: {
    launch: (node, { operand }) => [maxPoolGradient({ ...bind(node, operand), rows: rowsOf(node.x) })],
  },
  averagePoolGradient: {
    launch: (node, { operand }) => [averagePoolGradient({ ...bind(node, operand), rows: rowsOf(node.dy) })],
  },
  dropout: {
    launch(node, { operand, keysOf }) {
      const { mask, ...bound } = bind(node, operand);
      const keys = keysOf(mask, 1);
      return [dropout({ ...bound, keys, count: elements(node.x), schedule: { kind: 'schedule' } })];
    },
  },
} satisfies Launchers;
