/** Writes the few ONNX models that the bench needs, in protobuf by hand: fields as numbered in onnx.proto3. */

/** One field: its number, and a varint, bytes, text, or a message of further fields. */
type Field = readonly [number: number, value: number | string | Uint8Array | readonly Field[]];

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}

function encode(fields: readonly Field[]): Uint8Array<ArrayBuffer> {
  const parts = fields.flatMap(([number, value]) => {
    if (typeof value === 'number') return [Uint8Array.from([...varint(number * 8), ...varint(value)])];
    const content =
      typeof value === 'string' ? new TextEncoder().encode(value) : value instanceof Uint8Array ? value : encode(value);
    return [Uint8Array.from([...varint(number * 8 + 2), ...varint(content.length)]), content];
  });
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

const FLOAT = 1; // TensorProto.DataType
const dims = (shape: readonly number[]): Field[] => shape.map((size): Field => [1, size]);

/** ValueInfoProto of an f32 tensor. */
const valueInfo = (name: string, shape: readonly number[]): Field[] => [
  [1, name],
  [
    2,
    [
      [
        1,
        [
          [1, FLOAT],
          [2, shape.map((size): Field => [1, [[1, size]]])],
        ],
      ],
    ],
  ],
];

const initializer = (name: string, shape: readonly number[], data: Float32Array): Field[] => [
  ...dims(shape),
  [2, FLOAT],
  [8, name],
  [9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)],
];

const node = (op: string, inputs: readonly string[], output: string): Field[] => [
  ...inputs.map((name): Field => [1, name]),
  [2, output],
  [4, op],
];

export interface DenseLayer {
  /** (inputs, units) row-major, and (units). */
  readonly weights: Float32Array;
  readonly bias: Float32Array;
  readonly relu: boolean;
}

/** A model of dense layers in a row: Gemm and Relu, input `x` (rows, inputs), output `y`. */
export function denseModel(rows: number, inputs: number, layers: readonly DenseLayer[]): Uint8Array<ArrayBuffer> {
  const nodes: Field[] = [];
  const initializers: Field[] = [];
  let [name, columns] = ['x', inputs];
  layers.forEach(({ weights, bias, relu }, i) => {
    const last = i === layers.length - 1;
    const sum = relu ? `sum${i}` : last ? 'y' : `y${i}`;
    initializers.push([5, initializer(`w${i}`, [columns, bias.length], weights)]);
    initializers.push([5, initializer(`b${i}`, [bias.length], bias)]);
    nodes.push([1, node('Gemm', [name, `w${i}`, `b${i}`], sum)]);
    name = sum;
    if (relu) {
      name = last ? 'y' : `y${i}`;
      nodes.push([1, node('Relu', [sum], name)]);
    }
    columns = bias.length;
  });
  const graph: Field[] = [
    ...nodes,
    [2, 'layers'],
    ...initializers,
    [11, valueInfo('x', [rows, inputs])],
    [12, valueInfo('y', [rows, columns])],
  ];
  // IR version 8, operator set 17.
  return encode([
    [1, 8],
    [7, graph],
    [8, [[2, 17]]],
  ]);
}
