/** ONNX models as messages (onnx/onnx.proto of https://github.com/onnx/onnx, IR version 8): what a graph is put together from. */
import { product } from '../core/shape.ts';
import { float, integer, type Message, nested, type Piece, text } from './protobuf.ts';

/** Of operators: the first one with bitwise operators on integers (2022). */
const OPSET = 18;
const IR_VERSION = 8;

/** TensorProto.DataType. */
const dataTypes = { float: 1, int8: 3, int64: 7 } as const;
export type DataType = keyof typeof dataTypes;

/** AttributeProto.AttributeType. */
const INT = 2;
const FLOAT = 1;
const INTS = 7;

/** A number is an integer, `{ float }` a float, a list integers. */
export type Attributes = Readonly<Record<string, number | { readonly float: number } | readonly number[]>>;

const attribute = (name: string, value: Attributes[string]): Message => {
  const content =
    typeof value === 'number'
      ? [integer(3, value), integer(20, INT)]
      : 'float' in value
        ? [float(2, value.float), integer(20, FLOAT)]
        : [...value.map((one) => integer(8, one)), integer(20, INTS)];
  return nested(5, text(1, name), ...content);
};

/** ValueInfoProto of f32; a size that is a text stands for any. */
const valueInfo = (field: number, name: string, shape: readonly (number | string)[]): Message => {
  const dims = shape.map((size) => nested(1, typeof size === 'number' ? integer(1, size) : text(2, size)));
  return nested(field, text(1, name), nested(2, nested(1, integer(1, dataTypes.float), nested(2, ...dims))));
};

export interface Interface {
  readonly name: string;
  readonly shape: readonly (number | string)[];
}

/** Collects nodes and constants. Values go by the names that its methods return. */
export class OnnxGraph {
  readonly #nodes: Message[] = [];
  readonly #initializers: Message[] = [];
  readonly #shared = new Map<string, string>();
  #next = 0;

  /** A node with one output. */
  node(op: string, inputs: readonly string[], attributes: Attributes = {}, output = `${op}${this.#next++}`): string {
    this.#nodes.push(
      nested(
        1,
        ...inputs.map((name) => text(1, name)),
        text(2, output),
        text(4, op),
        ...Object.entries(attributes).map(([name, value]) => attribute(name, value)),
      ),
    );
    return output;
  }

  /** A constant; equal texts `key` share one. */
  constant(type: DataType, shape: readonly number[], data: Piece, key?: string): string {
    const known = key === undefined ? undefined : this.#shared.get(key);
    if (known) return known;
    const name = `c${this.#next++}`;
    this.named(name, type, shape, data);
    if (key !== undefined) this.#shared.set(key, name);
    return name;
  }

  /** A constant under a name of one's own. */
  named(name: string, type: DataType, shape: readonly number[], data: Piece): string {
    const dims = shape.map((size) => integer(1, size));
    this.#initializers.push(nested(5, ...dims, integer(2, dataTypes[type]), text(8, name), nested(9, [data])));
    return name;
  }

  /** Integers of 64 bits; a scalar where the shape is []. */
  integers(values: readonly number[], shape: readonly number[] = [values.length]): string {
    const data = new BigInt64Array(values.map(BigInt));
    if (product(shape) !== values.length) throw new RangeError(`expected ${product(shape)} integers`);
    return this.constant('int64', shape, new Uint8Array(data.buffer), `int64 ${shape} : ${values}`);
  }

  floats(values: readonly number[], shape: readonly number[] = [values.length]): string {
    const data = new Uint8Array(Float32Array.from(values).buffer);
    return this.constant('float', shape, data, `float ${shape} : ${values}`);
  }

  reshape = (value: string, shape: readonly number[]): string => this.node('Reshape', [value, this.integers(shape)]);

  /** The ModelProto. */
  model(
    input: Interface,
    output: Interface,
    { version, notes }: { version: string; notes: Readonly<Record<string, string>> },
  ): Message {
    return [
      ...integer(1, IR_VERSION),
      ...text(2, 'weightless'),
      ...text(3, version),
      ...nested(
        7,
        ...this.#nodes,
        text(2, 'weightless'),
        ...this.#initializers,
        valueInfo(11, input.name, input.shape),
        valueInfo(12, output.name, output.shape),
      ),
      ...nested(8, text(1, ''), integer(2, OPSET)),
      ...Object.entries(notes).flatMap(([key, value]) => nested(14, text(1, key), text(2, value))),
    ];
  }
}
