/** Pictures made worse, and labels: by seed and row alone, so the same at every call. */
import type { DataSet } from '../data/dataset.ts';
import { featuresAsFloats } from '../data/dataset.ts';
import { philox4x32 } from '../weights/stream.ts';
import { ExperimentError } from './errors.ts';

export const disturbances = {
  /** Deviation of a normal number added to each pixel, which stays from 0 to 1. */
  noise: [0.1, 0.2, 0.3, 0.5],
  /** Pixels, in one of four directions. */
  shift: [1, 2, 3],
  /** Degrees, either way. */
  rotation: [10, 20, 30],
  /** Share of the pixels that are 0. */
  missing: [0.1, 0.3, 0.5],
} as const;

export type Disturbance = keyof typeof disturbances;

/** Tell these draws from every other use of Philox. */
const USES = { noise: 11, shift: 12, rotation: 13, missing: 14, labels: 15 };

/** Two numbers of at least 0 and below 1. */
function draw(use: keyof typeof USES, row: number, at: number, seed = 0): [number, number] {
  const [a, b] = philox4x32([row, at, USES[use], 1], [seed, 0]);
  return [a / 2 ** 32, b / 2 ** 32];
}

/** Each picture of shape (height, width). Throws `ExperimentError`. */
export function disturb(data: DataSet, kind: Disturbance, level: number): DataSet {
  const [height, width] = data.shape;
  if (data.shape.length !== 2 || !height || !width) {
    throw new ExperimentError(
      `robustness: expected grey pictures (height, width), got shape ${data.shape.join(' x ')}. Take other data.`,
    );
  }
  const features = featuresAsFloats(data);
  const size = height * width;
  for (let row = 0; row < data.rows; row++) {
    const picture = features.subarray(row * size, (row + 1) * size);
    if (kind === 'noise') addNoise(picture, level, row);
    else if (kind === 'missing') loseNumbers(picture, level, row);
    else if (kind === 'shift') {
      const [dx, dy] = (
        [
          [1, 0],
          [-1, 0],
          [0, 1],
          [0, -1],
        ] as const
      )[Math.floor(4 * draw('shift', row, 0)[0])]!;
      picture.set(moved(picture, width, height, (x, y) => [x - level * dx, y - level * dy]));
    } else {
      const angle = ((draw('rotation', row, 0)[0] < 0.5 ? 1 : -1) * level * Math.PI) / 180;
      const [cos, sin, cx, cy] = [Math.cos(angle), Math.sin(angle), (width - 1) / 2, (height - 1) / 2];
      picture.set(
        moved(picture, width, height, (x, y) => [
          cx + cos * (x - cx) + sin * (y - cy),
          cy - sin * (x - cx) + cos * (y - cy),
        ]),
      );
    }
  }
  return { ...data, features };
}

function addNoise(picture: Float32Array, deviation: number, row: number): void {
  for (let i = 0; i < picture.length; i++) {
    const [a, b] = draw('noise', row, i);
    const normal = Math.sqrt(-2 * Math.log(1 - a)) * Math.cos(2 * Math.PI * b);
    picture[i] = Math.min(1, Math.max(0, picture[i]! + deviation * normal));
  }
}

function loseNumbers(picture: Float32Array, share: number, row: number): void {
  for (let i = 0; i < picture.length; i++) if (draw('missing', row, i)[0] < share) picture[i] = 0;
}

/** From where each pixel comes, between four neighbours; 0 beyond the border. */
function moved(
  picture: Float32Array,
  width: number,
  height: number,
  from: (x: number, y: number) => readonly [number, number],
): Float32Array {
  const at = (x: number, y: number) => (x >= 0 && y >= 0 && x < width && y < height ? picture[y * width + x]! : 0);
  return Float32Array.from({ length: width * height }, (_, i) => {
    const [sx, sy] = from(i % width, Math.floor(i / width));
    const [x, y] = [Math.floor(sx), Math.floor(sy)];
    const [fx, fy] = [sx - x, sy - y];
    const above = (1 - fx) * at(x, y) + fx * at(x + 1, y);
    const below = (1 - fx) * at(x, y + 1) + fx * at(x + 1, y + 1);
    return (1 - fy) * above + fy * below;
  });
}

/** This share of the labels is another class, each as likely. */
export function mislabel(data: DataSet, share: number, seed: number): DataSet {
  const labels = data.labels.map((label, row) => {
    const [chance, which] = draw('labels', row, 0, seed);
    return chance < share ? (label + 1 + Math.floor(which * (data.classes - 1))) % data.classes : label;
  });
  return { ...data, labels };
}
