/** Pictures made worse, and labels: by seed and row alone, so the same at every call. */
import type { DataSet } from '../../src/data/dataset.ts';
import { featuresAsFloats } from '../../src/data/dataset.ts';
import { philox4x32 } from '../../src/weights/stream.ts';
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

/** Four numbers of at least 0 and below 1. */
function draw(use: keyof typeof USES, row: number, at: number, seed = 0): number[] {
  return philox4x32([row, at, USES[use], 1], [seed, 0]).map((word) => word / 2 ** 32);
}

const directions = [
  [1, 0],
  [-1, 0],
  [0, 1],
  [0, -1],
] as const;

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
      const [dx, dy] = directions[Math.floor(4 * draw('shift', row, 0)[0]!)]!;
      move(picture, width, height, [1, 0, -level * dx, 0, 1, -level * dy]);
    } else {
      const angle = ((draw('rotation', row, 0)[0]! < 0.5 ? 1 : -1) * level * Math.PI) / 180;
      const [cos, sin, cx, cy] = [Math.cos(angle), Math.sin(angle), (width - 1) / 2, (height - 1) / 2];
      move(picture, width, height, [cos, sin, cx - cos * cx - sin * cy, -sin, cos, cy + sin * cx - cos * cy]);
    }
  }
  return { ...data, features };
}

/** Normal numbers by Box and Muller, two of two draws. */
function addNoise(picture: Float32Array, deviation: number, row: number): void {
  for (let i = 0; i < picture.length; i += 4) {
    const [a, b, c, d] = draw('noise', row, i) as [number, number, number, number];
    const [first, second] = [deviation * Math.sqrt(-2 * Math.log(1 - a)), deviation * Math.sqrt(-2 * Math.log(1 - c))];
    add(picture, i, first * Math.cos(2 * Math.PI * b));
    add(picture, i + 1, first * Math.sin(2 * Math.PI * b));
    add(picture, i + 2, second * Math.cos(2 * Math.PI * d));
    add(picture, i + 3, second * Math.sin(2 * Math.PI * d));
  }
}

/** Nothing beyond the end, where a Float32Array ignores it. */
function add(picture: Float32Array, i: number, value: number): void {
  picture[i] = Math.min(1, Math.max(0, picture[i]! + value));
}

function loseNumbers(picture: Float32Array, share: number, row: number): void {
  for (let i = 0; i < picture.length; i += 4) {
    for (const [at, chance] of draw('missing', row, i).entries()) if (chance < share) picture[i + at] = 0;
  }
}

/** Each pixel from where (a x + b y + c, d x + e y + f) says, between four neighbours; 0 beyond the border. */
function move(
  picture: Float32Array,
  width: number,
  height: number,
  [a, b, c, d, e, f]: readonly [number, number, number, number, number, number],
): void {
  const from = picture.slice();
  const at = (x: number, y: number) => (x >= 0 && y >= 0 && x < width && y < height ? from[y * width + x]! : 0);
  for (let py = 0; py < height; py++) {
    for (let px = 0; px < width; px++) {
      const sx = a * px + b * py + c;
      const sy = d * px + e * py + f;
      const x = Math.floor(sx);
      const y = Math.floor(sy);
      const above = (1 - sx + x) * at(x, y) + (sx - x) * at(x + 1, y);
      const below = (1 - sx + x) * at(x, y + 1) + (sx - x) * at(x + 1, y + 1);
      picture[py * width + px] = (1 - sy + y) * above + (sy - y) * below;
    }
  }
}

/** This share of the labels is another class, each as likely. */
export function mislabel(data: DataSet, share: number, seed: number): DataSet {
  const labels = data.labels.map((label, row) => {
    const [chance, which] = draw('labels', row, 0, seed) as [number, number];
    return chance < share ? (label + 1 + Math.floor(which * (data.classes - 1))) % data.classes : label;
  });
  return { ...data, labels };
}
