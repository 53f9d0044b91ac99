/** The kernels of a forward pass over images. */
import { add } from '../../../kernels/add.ts';
import { averagePool } from '../../../kernels/average_pool.ts';
import { conv } from '../../../kernels/conv.ts';
import type { Dispatch } from '../../../kernels/dispatch.ts';
import { maxPool } from '../../../kernels/max_pool.ts';
import { type Border, isBare, paddedSize, padImage } from '../../../kernels/pad_image.ts';
import { randomConv } from '../../../kernels/random_conv.ts';
import { windowBorder } from '../../../kernels/window_tile.ts';
import { ShapeError } from '../../core/errors.ts';
import { elements, type Value } from '../../graph/graph.ts';
import { type ElementwiseName, isElementwise, type WeightSpec } from '../../weights/distributions.ts';
import type { Choice } from '../choose/choose.ts';
import { bind, type Launchers, type Operand } from '../plan.ts';

export interface Image {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

export const rowsOf = ({ shape }: Value): number => shape[0]!;

/** Memory for images with their border, where they have one. */
export const borderScratch = (x: Value, image: Image, border: Border): number[] =>
  isBare(border) ? [] : [4 * rowsOf(x) * paddedSize(image, border)];

/** A launch on images with their border: padded first, into the scratch memory, where they have one. */
export function withBorder(
  rows: number,
  { height, width, channels }: Image,
  border: Border,
  x: Operand,
  room: Operand | undefined,
  launch: (x: Operand) => Dispatch<Operand>[],
): Dispatch<Operand>[] {
  if (isBare(border) || !room) return launch(x);
  return [padImage({ rows, height, width, channels, border, x, out: room }), ...launch(room)];
}

/** Distribution of random filters. Throws `ShapeError` for one that has no kernel. */
export function filterWeights({ distribution }: WeightSpec): ElementwiseName {
  if (isElementwise(distribution)) return distribution;
  throw new ShapeError(`random filters: expected independent weights, got '${distribution}'`);
}

/** Workgroups on a software adapter: each starts with a barrier behind the table of `normal`, which is ruinous there. */
export const randomGroups = ({ software }: Choice) => (software ? { groups: 8 } : {});

export const imageLaunchers = {
  randomConv: {
    fuses: 'scale',
    scratchBytes: ({ x, window }) => borderScratch(x, window, windowBorder(window)),
    launch({ x, weights, window, filters, z }, { operand, keysOf, fused, choice, scratch: [room] }) {
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
    launch({ x, w, window, filters, z }, { operand, fused, scratch: [room] }) {
      const rows = rowsOf(x);
      const tail = fused && { epilogue: bind(fused, operand) };
      return withBorder(rows, window, windowBorder(window), operand(x), room, (x) => [
        conv({ rows, window, filters, x, w: operand(w), y: operand(fused?.y ?? z), ...tail }),
      ]);
    },
  },
  maxPool: { launch: (node, { operand }) => [maxPool({ ...bind(node, operand), rows: rowsOf(node.x) })] },
  averagePool: { launch: (node, { operand }) => [averagePool({ ...bind(node, operand), rows: rowsOf(node.x) })] },
  add: { launch: (node, { operand }) => [add({ ...bind(node, operand), count: elements(node.c) })] },
} satisfies Launchers;
