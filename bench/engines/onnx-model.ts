/** The ONNX models of the bench. */
import { OnnxGraph } from '../../src/export/onnx-file.ts';
import { byteLength, encoded } from '../../src/export/protobuf.ts';

export interface DenseLayer {
  /** (inputs, units) row-major, and (units). */
  readonly weights: Float32Array;
  readonly bias: Float32Array;
  readonly relu: boolean;
}

/** A model of successive dense layers: Gemm and Relu, input `x` (rows, inputs), output `y`. */
export function denseModel(rows: number, inputs: number, layers: readonly DenseLayer[]): Uint8Array<ArrayBuffer> {
  const graph = new OnnxGraph();
  const floats = (shape: readonly number[], data: Float32Array) =>
    graph.constant('float', shape, new Uint8Array(data.slice().buffer));
  let [value, columns] = ['x', inputs];
  layers.forEach(({ weights, bias, relu }, i) => {
    const output = i === layers.length - 1 ? 'y' : undefined;
    const operands = [value, floats([columns, bias.length], weights), floats([bias.length], bias)];
    value = graph.node('Gemm', operands, {}, relu ? undefined : output);
    if (relu) value = graph.node('Relu', [value], {}, output);
    columns = bias.length;
  });
  const [x, y] = [
    { name: 'x', shape: [rows, inputs] },
    { name: 'y', shape: [rows, columns] },
  ];
  const message = graph.model([x!], y!, { version: '', notes: {} });
  const out = new Uint8Array(byteLength(message));
  let at = 0;
  for (const part of encoded(message)) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
