/** Images with the border that windows reach into, and their filters. */
import type { Dispatch } from '../../../kernels/dispatch.ts';
import { type Border, isBare, paddedSize, padImage } from '../../../kernels/pad_image.ts';
import { ShapeError } from '../../core/errors.ts';
import type { Value } from '../../graph/value.ts';
import { type ElementwiseName, isElementwise, type WeightSpec } from '../../weights/distributions.ts';
import type { Choice } from '../choose/choose.ts';
import type { Operand } from './lowering.ts';

export interface Image {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

export const rowsOf = ({ shape }: Value): number => shape[0]!;

/** Scratch bytes for images with their border; empty without a border. */
export const borderScratch = (x: Value, image: Image, border: Border): number[] =>
  isBare(border) ? [] : [4 * rowsOf(x) * paddedSize(image, border)];

/**
 * Dispatches on images with their border. If there is a border, another dispatch first pads them into scratch memory.
 */
export function withBorder(
  rows: number,
  { height, width, channels }: Image,
  border: Border,
  x: Operand,
  room: Operand | undefined,
  lower: (x: Operand) => Dispatch<Operand>[],
): Dispatch<Operand>[] {
  if (isBare(border) || !room) return lower(x);
  return [padImage({ rows, height, width, channels, border, x, out: room }), ...lower(room)];
}

/** The distribution of random filters. Throws `ShapeError` if it has no kernel. */
export function filterWeights({ distribution }: WeightSpec): ElementwiseName {
  if (isElementwise(distribution)) return distribution;
  throw new ShapeError(`random filters: expected independent weights, got '${distribution}'`);
}

/** Workgroups on a software adapter: each starts with a barrier for the table of `normal`, which is very slow there. */
export const randomGroups = ({ software }: Choice) => (software ? { groups: 8 } : {});
