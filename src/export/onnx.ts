/** Models as ONNX files, for other runtimes: with their random weights stored, or made by the operators of the file. */
import { onnxActivations } from '../core/activations.ts';
import { ShapeError } from '../core/errors.ts';
import { type Window, windowCounts, windowSize } from '../core/window.ts';
import { type Node, type NodeOf, type Op, type OpsOf, outputsOf } from '../graph/ops.ts';
import type { Value } from '../graph/value.ts';
import { forwardGraph, inputSize, type Model, outputShape } from '../model/model.ts';
import { integerWeights, isElementwise, weightScale } from '../weights/distributions.ts';
import { type FieldSpec, fieldWeights } from '../weights/fields.ts';
import { STREAM_VERSION } from '../weights/stream.ts';
import { type Attributes, OnnxGraph } from './onnx-file.ts';
import { elementwiseWeights, type Keys, keys, type Matrix, orthogonalProduct } from './onnx-stream.ts';
import { byteLength, encoded, type Message, type Piece } from './protobuf.ts';

export interface OnnxOptions {
  /**
   * `stored`: f32 matrices in the file, for any runtime. `generated`: integer operators make them from the seed, bit for bit, and the
   * file stays small. Default `generated`.
   */
  weights?: 'stored' | 'generated';
}

/** Protobuf messages are at most this long. */
const MOST_BYTES = 2 ** 31 - 1;

/** Numbers of a stored matrix that are made at a time. */
const PART = 2 ** 20;

/**
 * The bytes of an ONNX file (opset 18), made as they are taken: no stored matrix is in memory whole. Its input is `x` (N, ...the model's
 * input), its output `y` (N, ...the model's output): for a classifier the logits. Throws `ShapeError` where stored weights pass 2 GiB.
 */
export function onnxChunks(model: Model, options: OnnxOptions = {}): Generator<Uint8Array<ArrayBuffer>, void, void> {
  return encoded(onnxMessage(model, options));
}

/** The same in one piece. */
export function exportOnnx(model: Model, options: OnnxOptions = {}): Uint8Array<ArrayBuffer> {
  const message = onnxMessage(model, options);
  const file = new Uint8Array(byteLength(message));
  let at = 0;
  for (const bytes of encoded(message)) {
    file.set(bytes, at);
    at += bytes.length;
  }
  return file;
}

type RandomNode = NodeOf<'randomMatmul'> | NodeOf<'randomConv'>;
const isRandom = (node: Node): node is RandomNode => node.op === 'randomMatmul' || node.op === 'randomConv';

const matrixOf = (node: RandomNode): Matrix => ({
  tensor: node.weights.tensor,
  distribution: node.weights.distribution,
  ...(node.op === 'randomConv'
    ? { fanIn: windowSize(node.window), units: node.filters }
    : { fanIn: node.x.shape[1]!, units: node.z.shape[1]! }),
});

function onnxMessage(model: Model, { weights = 'generated' }: OnnxOptions): Message {
  const { graph, x, output } = forwardGraph(model, 1);
  const file = new OnnxGraph();
  const random = graph.nodes.filter(isRandom);
  const made =
    weights === 'generated' && random.length
      ? keys(file, model.seed, random.map(matrixOf))
      : random.map(() => undefined);
  const names = new Map<Value, string>([[x, file.reshape('x', [-1, inputSize(model)])]]);
  for (const value of graph.values) {
    if (value.role === 'parameter') {
      const numbers = model.parameters.get(value.name)!;
      names.set(value, file.named(value.name, 'float', value.shape, new Uint8Array(numbers.slice().buffer)));
    }
  }
  for (const node of graph.nodes) {
    const generated = isRandom(node) ? made[random.indexOf(node)] : undefined;
    const of = (value: Value) => names.get(value)!;
    names.set(outputsOf(node)[0]!, addNode(node, { file, seed: model.seed, generated, weights, of }));
  }
  const shape = outputShape(model);
  file.node('Reshape', [names.get(output)!, file.integers([-1, ...shape])], {}, 'y');
  const message = file.model(
    { name: 'x', shape: ['N', ...model.input] },
    { name: 'y', shape: ['N', ...shape] },
    {
      version: String(STREAM_VERSION),
      notes: { seed: String(model.seed), stream_version: String(STREAM_VERSION), weights },
    },
  );
  const bytes = byteLength(message);
  if (bytes > MOST_BYTES) {
    throw new ShapeError(
      `onnx: expected a file of at most ${MOST_BYTES} bytes (a protobuf message has no more), got ${bytes}. ` +
        `Export with weights 'generated'.`,
    );
  }
  return message;
}

/** What a rule works with. Values are (N, size) matrices, images channels last; ONNX wants channels first. */
interface Site {
  readonly file: OnnxGraph;
  readonly seed: Model['seed'];
  /** Keys of the node's random matrix, where operators make it. */
  readonly generated: Keys | undefined;
  readonly weights: 'stored' | 'generated';
  of(value: Value): string;
}

/** Adds what computes a node's result, and returns its name. */
type Rule<O extends Op> = (node: NodeOf<O>, site: Site) => string;

const randomWeights = ({ file, seed, generated }: Site, matrix: Matrix) =>
  generated ? elementwiseWeights(file, generated, matrix) : storedWeights(file, seed, matrix);

/** The operations of prediction as ONNX operators; `null`: the export lacks it. */
const rules: { readonly [O in OpsOf<'dense' | 'image' | 'field'>]: Rule<O> | null } = {
  randomMatmul(node, site) {
    const { file, generated, of } = site;
    const matrix = matrixOf(node);
    return generated && !isElementwise(matrix.distribution)
      ? orthogonalProduct(file, of(node.x), generated, matrix)
      : file.node('MatMul', [of(node.x), randomWeights(site, matrix)]);
  },
  matmul: ({ a, b }, { file, of }) => file.node('MatMul', [of(a), of(b)]),
  epilogue({ z, u, b, activation }, { file, of }) {
    const channels = b.shape[0]!;
    const images = channels !== z.shape[1]!;
    let a = images ? file.reshape(of(z), [-1, z.shape[1]! / channels, channels]) : of(z);
    if (u) a = file.node('Mul', [a, of(u)]);
    a = onnxActivations[activation](file, file.node('Add', [a, of(b)]));
    return images ? file.reshape(a, [-1, z.shape[1]!]) : a;
  },
  randomConv: (node, site) =>
    convolution(site.file, site.of(node.x), randomWeights(site, matrixOf(node)), node.window, node.filters),
  conv: ({ x, w, window, filters }, { file, of }) => convolution(file, of(x), of(w), window, filters),
  maxPool: ({ x, window }, { file, of }) => overImages(file, 'MaxPool', of(x), window, window.channels),
  averagePool: ({ x, window }, { file, of }) => overImages(file, 'AveragePool', of(x), window, window.channels),
  add: ({ a, b }, { file, of }) => file.node('Add', [of(a), of(b)]),
  randomFields({ x, z, weights: fields }, { file, of, weights }) {
    if (weights === 'stored') return file.node('MatMul', [of(x), storedFields(file, fields, z.shape[1]!)]);
    throw new ShapeError(
      `onnx: expected weights that the operators of the file can make, got receptive fields (${fields.distribution}). ` +
        "Export with weights 'stored'.",
    );
  },
};

/** Adds a node. Throws `ShapeError` for an operation that the export lacks. */
function addNode(node: Node, site: Site): string {
  const rule = (rules as { readonly [O in Op]?: Rule<O> | null })[node.op] as Rule<Op> | null | undefined;
  if (!rule) throw new ShapeError(`onnx: expected operations of prediction that ONNX has, got '${node.op}'`);
  return rule(node, site);
}

/** What an operator with windows makes of rows of images. */
function overImages(
  file: OnnxGraph,
  op: string,
  x: string,
  window: Window,
  channels: number,
  more: readonly string[] = [],
  attributes: Attributes = {},
): string {
  const image = file.reshape(x, [-1, window.height, window.width, window.channels]);
  const first = file.node('Transpose', [image], { perm: [0, 3, 1, 2] });
  const made = file.node(op, [first, ...more], { kernel_shape: window.kernel, strides: window.stride, ...attributes });
  const last = file.node('Transpose', [made], { perm: [0, 2, 3, 1] });
  const [down, across] = windowCounts(window);
  return file.reshape(last, [-1, down * across * channels]);
}

/** w is (window size, filters). */
function convolution(file: OnnxGraph, x: string, w: string, window: Window, filters: number): string {
  const { kernel, channels, padding, dilation } = window;
  const filter = file.reshape(w, [...kernel, channels, filters]);
  const turned = file.node('Transpose', [filter], { perm: [3, 2, 0, 1] });
  return overImages(file, 'Conv', x, window, filters, [turned], {
    pads: [...padding, ...padding],
    dilations: dilation,
  });
}

/** (fanIn, units) f32, made when it is written. */
function storedWeights(file: OnnxGraph, seed: Model['seed'], { tensor, distribution, fanIn, units }: Matrix): string {
  const spec = { seed, tensor, distribution };
  const scale = weightScale(distribution, fanIn);
  const rows = Math.max(1, Math.floor(PART / units));
  const data: Piece = {
    byteLength: 4 * fanIn * units,
    *parts() {
      for (let from = 0; from < fanIn; from += rows) {
        const integers = integerWeights(spec, [from, Math.min(fanIn, from + rows)], [0, units], fanIn);
        yield new Uint8Array(Float32Array.from(integers, (w) => scale * w).buffer);
      }
    },
  };
  return file.constant('float', [fanIn, units], data);
}

/** (image, units) f32. */
function storedFields(file: OnnxGraph, weights: FieldSpec, units: number): string {
  const { integers, scales } = fieldWeights(weights, [0, units]);
  const size = integers.length / units;
  const matrix = new Float32Array(integers.length);
  for (let n = 0; n < units; n++) {
    for (let k = 0; k < size; k++) matrix[k * units + n] = scales[n]! * integers[n * size + k]!;
  }
  return file.constant('float', [size, units], new Uint8Array(matrix.buffer));
}
