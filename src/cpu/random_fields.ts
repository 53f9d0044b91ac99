/** Products with random receptive fields on the CPU: sizes, memory and calls. */
import { type FieldName, type FieldSpec, fieldWords, insideOf } from '../weights/fields.ts';
import type { Machine } from './machine.ts';

/**
 * z (m, n) = x (m, image) times the fields. With `from`, the n units are a slice of a larger matrix that starts there.
 */
export interface FieldProduct {
  readonly m: number;
  readonly n: number;
  readonly weights: FieldSpec;
  readonly from?: number;
}

/** Numbered as in wasm/random_fields.ts. */
const kinds: Readonly<Record<FieldName, number>> = { patch: 0, 'binary-patch': 1, 'mexican-hat': 2 };

/** Sizes, packed rows of inputs and outputs, and the call of a kernel between them. */
function prepare(machine: Machine, { m, n, weights, from }: FieldProduct) {
  const { height, width, channels } = weights.image;
  const k = height * width * channels;
  const blocks = Math.ceil(m / 4);
  const fields = machine.place(fieldWords(weights, n, from));
  const [images, sums] = [machine.allocate(16 * k * blocks), machine.allocate(16 * n * blocks)];
  const kind = kinds[weights.distribution];
  const run = (kernel: 'randomFields' | 'randomFieldsTransposed', input: number, output: number) => {
    machine.decodeAs(insideOf(weights.distribution));
    machine.kernels[kernel](input, blocks, k, width, channels, fields, n, kind, output);
  };
  return { k, blocks, images, sums, run };
}

/** Prepares z = x times the fields. The returned function takes the addresses of x and z. */
export function randomFields(machine: Machine, product: FieldProduct) {
  const { m, n } = product;
  const { k, images, sums, run } = prepare(machine, product);
  return (x: number, z: number): void => {
    machine.kernels.packRows(x, 4 * k, 4, m, k, k, images);
    run('randomFields', images, sums);
    machine.kernels.unpackRows(sums, m, n, n, 1, z);
  };
}

/** Prepares dx (m, image) = dz (m, n) times the fields. The returned function takes the addresses of dz and dx. */
export function randomFieldsTransposed(machine: Machine, product: FieldProduct) {
  const { m, n } = product;
  const { k, blocks, images, sums, run } = prepare(machine, product);
  return (dz: number, dx: number): void => {
    machine.kernels.packRows(dz, 4 * n, 4, m, n, n, sums);
    machine.floats(images, 4 * k * blocks).fill(0);
    run('randomFieldsTransposed', sums, images);
    machine.kernels.unpackRows(images, m, k, k, 1, dx);
  };
}
