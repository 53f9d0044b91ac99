/** Training images and shifted copies of them. */
import { DataError } from '../core/errors.ts';
import { type DataSet, rowSize } from './dataset.ts';

const directions = [
  [-1, 0],
  [1, 0],
  [0, -1],
  [0, 1],
] as const;

/**
 * The images unchanged, then all of them shifted by `pixels` up, down, left and right: five times the rows. Pixels that
 * come in at an edge are 0 (for bytes: the byte 0). Throws `DataError` for rows that are not images, (height, width) or
 * (height, width, channels), or that are not larger than the shift.
 */
export function shifted(data: DataSet, pixels: number): DataSet {
  const [height, width, channels = 1] = data.shape as [number, number, number?];
  if (data.shape.length < 2 || data.shape.length > 3) {
    throw new DataError(`shift: expected images (height, width) or (height, width, channels), got ${data.shape}`);
  }
  const most = Math.min(height, width) - 1;
  if (!Number.isSafeInteger(pixels) || pixels < 1 || pixels > most) {
    throw new DataError(`shift: expected 1 to ${most} pixels for images of ${height} x ${width}, got ${pixels}`);
  }
  const { features, labels, targets, keys, rows } = data;
  const copies = 1 + directions.length;
  const size = rowSize(data);
  const line = width * channels;
  const moved = new (features.constructor as new (length: number) => typeof features)(copies * features.length);
  moved.set(features);
  directions.forEach(([down, across], i) => {
    const left = Math.max(0, across * pixels) * channels; // where the kept pixels start
    const kept = line - pixels * Math.abs(across) * channels;
    for (let row = 0; row < rows; row++) {
      for (let y = Math.max(0, down * pixels); y < height + Math.min(0, down * pixels); y++) {
        const from = row * size + (y - down * pixels) * line + Math.max(0, -across * pixels) * channels;
        moved.set(features.subarray(from, from + kept), ((i + 1) * rows + row) * size + y * line + left);
      }
    }
  });
  const again = <T extends Uint32Array | Float32Array>(values: T): T => {
    const all = new (values.constructor as new (length: number) => T)(copies * values.length);
    for (let copy = 0; copy < copies; copy++) all.set(values, copy * values.length);
    return all;
  };
  return {
    ...data,
    rows: copies * rows,
    features: moved,
    labels: again(labels),
    ...(targets && { targets: again(targets) }),
    ...(keys && { keys: again(keys) }),
  };
}
