/** ONNX models as messages (onnx/onnx.proto of https://github.com/onnx/onnx, IR version 8): what a graph is put together from. */
import { product } from '../core/shape.ts';
import { float, integer, type Message, nested, type Piece, text } from './protobuf.ts';

/** Of operators: the first one with bitwise operators on integers (2022). */
const OPSET = 18;
const IR_VERSION = 8;

/** TensorProto.DataType. */
const dataTypes = { float: 1, int8: 3, int64: 7, string: 8, double: 11 } as const;
export type DataType = keyof typeof dataTypes;

/** AttributeProto.AttributeType. */
const INT = 2;
const FLOAT = 1;
const INTS = 7;
const STRINGS = 8;

/** A number is an integer, `{ float }` a float, a list integers, `{ texts }` texts. */
export type Attributes = Readonly<
  Record<string, number | { readonly float: number } | { readonly texts: readonly string[] } | readonly number[]>
>;

const attribute = (name: string, value: Attributes[string]): Message => {
  const content =
    typeof value === 'number'
      ? [integer(3, value), integer(20, INT)]
      : 'float' in value
        ? [float(2, value.float), integer(20, FLOAT)]
        : 'texts' in value
          ? [...value.texts.map((one) => text(9, one)), integer(20, STRINGS)]
          : [...value.map((one) => integer(8, one)), integer(20, INTS)];
  return nested(5, text(1, name), ...content);
};

/** ValueInfoProto; a size that is a text stands for any. */
const valueInfo = (field: number, { name, shape, type = 'float' }: Interface): Message => {
  const dims = shape.map((size) => nested(1, typeof size === 'number' ? integer(1, size) : text(2, size)));
  return nested(field, text(1, name), nested(2, nested(1, integer(1, dataTypes[type]), nested(2, ...dims))));
};

export interface Interface {
  readonly name: string;
  readonly shape: readonly (number | string)[];
  /** Default f32. */
  readonly type?: DataType;
}

/** Operators for classical machine learning, beside those of neural networks. */
const ML_DOMAIN = 'ai.onnx.ml';
const ML_OPSET = 2;
const mlOperators: readonly string[] = ['LabelEncoder'];

/** Collects nodes and constants. Values go by the names that its methods return. */
export class OnnxGraph {
  readonly #nodes: Message[] = [];
  readonly #initializers: Message[] = [];
  readonly #shared = new Map<string, string>();
  readonly #prefix: string;
  #next = 0;
  #usesMl = false;

  /** `prefix`: starts the names of all values but inputs and outputs, so that these may have any name without it. */
  constructor(prefix = '') {
    this.#prefix = prefix;
  }

  /** A node with one output. */
  node(op: string, inputs: readonly string[], attributes: Attributes = {}, output = this.#newName(op)): string {
    const isMl = mlOperators.includes(op);
    this.#usesMl ||= isMl;
    this.#nodes.push(
      nested(
        1,
        ...inputs.map((name) => text(1, name)),
        text(2, output),
        text(4, op),
        ...Object.entries(attributes).map(([name, value]) => attribute(name, value)),
        ...(isMl ? [text(7, ML_DOMAIN)] : []),
      ),
    );
    return output;
  }

  #newName = (stem: string): string => `${this.#prefix}${stem}${this.#next++}`;

  /** A constant; equal texts `key` share one. */
  constant(type: DataType, shape: readonly number[], data: Piece, key?: string): string {
    const known = key === undefined ? undefined : this.#shared.get(key);
    if (known) return known;
    const name = this.#add(this.#newName('c'), type, shape, data);
    if (key !== undefined) this.#shared.set(key, name);
    return name;
  }

  /** A constant under a name of one's own. */
  named = (name: string, type: DataType, shape: readonly number[], data: Piece): string =>
    this.#add(`${this.#prefix}${name}`, type, shape, data);

  #add(name: string, type: DataType, shape: readonly number[], data: Piece): string {
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

  doubles(values: readonly number[], shape: readonly number[] = [values.length]): string {
    const data = new Uint8Array(Float64Array.from(values).buffer);
    return this.constant('double', shape, data, `double ${shape} : ${values}`);
  }

  /** Converts the numbers of a value, or truth to 0 and 1. */
  cast = (value: string, type: DataType): string => this.node('Cast', [value], { to: dataTypes[type] });

  reshape = (value: string, shape: readonly number[]): string => this.node('Reshape', [value, this.integers(shape)]);

  /** The ModelProto. */
  model(
    inputs: readonly Interface[],
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
        ...inputs.map((input) => valueInfo(11, input)),
        valueInfo(12, output),
      ),
      ...nested(8, text(1, ''), integer(2, OPSET)),
      ...(this.#usesMl ? nested(8, text(1, ML_DOMAIN), integer(2, ML_OPSET)) : []),
      ...Object.entries(notes).flatMap(([key, value]) => nested(14, text(1, key), text(2, value))),
    ];
  }
}
