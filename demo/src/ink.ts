/** Converts ink on a canvas or a picture to the 28 x 28 inputs of a network, placed like its training images. */
import { type Grey, resample } from '../../src/data/grey.ts';

export const SIDE = 28;

/** How a data set placed its objects in the image. */
export type Placement =
  /** MNIST: the longer side takes 20 pixels, the centre of mass is centred (http://yann.lecun.com/exdb/mnist). */
  | 'digit'
  /** Fashion-MNIST: the longer side fills the image, and the object is centred. */
  | 'picture';

const DIGIT_BOX = 20;
/** The bounding box ignores fainter ink. */
const FAINT = 0.08;

/** The input (28, 28), from 0 to 1; undefined if there is no ink. */
export function toInput(picture: Grey, placement: Placement): Float32Array<ArrayBuffer> | undefined {
  const cut = boundingBox(picture);
  if (!cut) return undefined;
  const box = placement === 'digit' ? DIGIT_BOX : SIDE;
  const scale = box / Math.max(cut.width, cut.height);
  const size = (length: number) => Math.max(1, Math.round(length * scale));
  const small = resample(cut, size(cut.width), size(cut.height));
  const [x, y] = placement === 'digit' ? centreOfMass(small) : [small.width / 2, small.height / 2];
  return place(small, Math.round(SIDE / 2 - x), Math.round(SIDE / 2 - y));
}

function boundingBox({ width, height, grey }: Grey): Grey | undefined {
  let [left, right, top, bottom] = [width, -1, height, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (grey[y * width + x]! < FAINT) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = y;
    }
  }
  if (right < 0) return undefined;
  const cut = { width: right - left + 1, height: bottom - top + 1 };
  const values = new Float32Array(cut.width * cut.height);
  for (let y = 0; y < cut.height; y++) {
    values.set(grey.subarray((top + y) * width + left, (top + y) * width + right + 1), y * cut.width);
  }
  return { ...cut, grey: values };
}

function centreOfMass({ width, grey }: Grey): [number, number] {
  let [sum, x, y] = [0, 0, 0];
  grey.forEach((value, i) => {
    sum += value;
    x += value * ((i % width) + 0.5);
    y += value * (Math.floor(i / width) + 0.5);
  });
  return [x / sum, y / sum];
}

/** Places the picture with its corner at (left, top) of an empty (28, 28) one and crops the rest. */
function place({ width, height, grey }: Grey, left: number, top: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(SIDE * SIDE);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [column, row] = [left + x, top + y];
      if (column >= 0 && column < SIDE && row >= 0 && row < SIDE) out[row * SIDE + column] = grey[y * width + x]!;
    }
  }
  return out;
}
