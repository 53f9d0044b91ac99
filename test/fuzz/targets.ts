/** What is fuzzed: each target makes a case of choices and tries it. Whatever it throws has to be an error that the library names. */
import { CommanderError } from 'commander';
import { encode } from 'fast-png';
import { activationNames } from '../../src/activations.ts';
import { layerNames, parseLayers } from '../../src/cli/architecture.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { registerConvolutions } from '../../src/convolution.ts';
import { dataSet } from '../../src/data/dataset.ts';
import { parseIdx } from '../../src/data/idx.ts';
import { pngToInput } from '../../src/data/png.ts';
import { WeightlessError } from '../../src/errors.ts';
import {
  createGraph,
  elements,
  epilogue,
  input,
  matmul,
  parameter,
  randomMatmul,
  type Value,
} from '../../src/graph.ts';
import {
  forwardGraph,
  type Model,
  modelParameters,
  modelSize,
  outputShape,
  sequential,
} from '../../src/model/model.ts';
import { readModel } from '../../src/model/safetensors.ts';
import { saveModel } from '../../src/model/save.ts';
import { product } from '../../src/shape.ts';
import { readCheckpoint, saveCheckpoint } from '../../src/train/checkpoint.ts';
import { batchGraph } from '../../src/train/graphs.ts';
import { distributionNames } from '../../src/weights/distributions.ts';
import { type Choices, damage, disturb, edges } from './choices.ts';

registerConvolutions();

/** Tries a case. Throws an error that is named, or returns; anything else is a defect. */
export type Target = (choices: Choices) => void;

/** Says no to a case that was accepted and should not have been, or came out wrong. */
export class Wrong extends Error {}

const models = [
  'half 5 binary gelu, random 4, dense 3',
  'half 4 orthogonal rank 2, dense 2',
  'half-conv 3 2x2 padding 1, pool 2, residual (conv 3 1, dropout 0.5), global-pool, dense 2',
].map((layers) => sequential(parseLayers(layers), { input: [4, 5], seed: 2n ** 63n + 5n }));

const headerOf = (file: Uint8Array) => 8 + Number(new DataView(file.buffer).getBigUint64(0, true));

/** The file with its header disturbed, or its bytes, or both. */
function disturbFile(choices: Choices, file: Uint8Array): Uint8Array {
  let made = file;
  if (choices.below(4) > 0) {
    const data = headerOf(file);
    let header: unknown = JSON.parse(new TextDecoder().decode(file.subarray(8, data)));
    const times = 1 + choices.below(3);
    for (let i = 0; i < times; i++) header = disturb(choices, header);
    const json = new TextEncoder().encode(JSON.stringify(header));
    made = new Uint8Array(8 + json.length + file.length - data);
    new DataView(made.buffer as ArrayBuffer).setBigUint64(0, BigInt(json.length), true);
    made.set(json, 8);
    made.set(file.subarray(data), 8 + json.length);
    if (choices.below(4) > 0) return made;
  }
  return damage(choices, made);
}

/** A model that was read is whole: as many numbers as its layers say, no more than its file can hold. */
function checkModel(model: Model, fileBytes: number): void {
  const numbers = [...model.parameters.values()].reduce((sum, { length }) => sum + length, 0);
  if (numbers !== modelSize(model).storedNumbers) throw new Wrong(`${numbers} numbers in a model of another size`);
  if (2 * numbers > fileBytes) throw new Wrong(`${numbers} numbers from ${fileBytes} bytes`);
  for (const { name, shape } of modelParameters(model)) {
    if (model.parameters.get(name)?.length !== product(shape)) throw new Wrong(`${name} has another size`);
  }
  outputShape(model);
  if (numbers >= 2 ** 16 || product(model.input) > 2 ** 30) return; // files with larger inputs are refused: a limit, no defect
  try {
    readModel(saveModel(model));
  } catch (error) {
    throw new Wrong(`what was written is not read again: ${(error as Error).message}`);
  }
}

const files = models.flatMap((model) => (['F32', 'F16', 'I8'] as const).map((dtype) => saveModel(model, { dtype })));
const checkpoints = models.map((model) =>
  saveCheckpoint({
    model,
    state: { epoch: 3, optimizer: new Map([['layers.0.u.moment1', Float32Array.of(1, 2, 3, 4, 5)]]) },
    note: { training: { epochs: 4 }, history: [] },
  }),
);

const pictures = [
  { width: 5, height: 4, channels: 1, depth: 8 },
  { width: 3, height: 3, channels: 4, depth: 8 },
  { width: 4, height: 2, channels: 3, depth: 16 },
].map(({ width, height, channels, depth }) => {
  const samples = Array.from({ length: width * height * channels }, (_, i) => (37 * i) % 256);
  const data = depth === 16 ? Uint16Array.from(samples) : Uint8Array.from(samples);
  return encode({ width, height, channels, depth, data } as Parameters<typeof encode>[0]);
});

const crcTable = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

/** Puts right the checksums of a PNG's chunks, so that what is damaged in them is looked at. */
function fixChecksums(png: Uint8Array<ArrayBuffer>): void {
  const view = new DataView(png.buffer);
  for (let at = 8; at + 12 <= png.length; ) {
    const end = at + 8 + view.getUint32(at);
    if (end + 4 > png.length) return;
    let crc = 0xffffffff;
    for (const byte of png.subarray(at + 4, end)) crc = crcTable[(crc ^ byte) & 255]! ^ (crc >>> 8);
    view.setUint32(end, ~crc >>> 0);
    at = end + 4;
  }
}

const words = [
  ...layerNames,
  ...activationNames,
  ...distributionNames,
  ...['(', ')', ',', ',', 'same', 'stride', 'padding', 'dilation', 'rank', '2', '3x3', '0', '1x0', '7', '0.25', '16'],
  ...[
    '9007199254740993',
    '1e3',
    '-1',
    '4294967296',
    '3x',
    'x',
    'NaN',
    '__proto__',
    'é',
    '2x2x2',
    '0.5.5',
    '1e400',
    '1000000000',
  ],
];

/** Text of layers: valid ones disturbed, or words in any order. */
function layersText(choices: Choices): string {
  if (choices.below(3) === 0) return choices.list(14, () => choices.of(words)).join(' ');
  const valid = [
    () => `half ${choices.of(['3', '17', '4'])} ${choices.of(distributionNames)}`,
    () => `dense ${choices.of(['3', '5', '1'])} ${choices.of(activationNames)}`,
    () =>
      `half-conv ${1 + choices.below(3)} ${choices.of(['2', '3x3 same', '1x2 stride 2', '2 padding 1 dilation 2'])}`,
    () => `${choices.of(['pool', 'average-pool'])} ${choices.of(['2', '1x2', '2 stride 1'])}`,
    () => choices.of(['global-pool', 'flatten', 'dropout 0.5', 'half 4 rank 2', 'conv 2 1', 'conv1d 2 2', 'pool1d 2']),
    () => `residual (${choices.of(['conv 2 1', 'conv 1 3 same', 'dropout 0.1, conv 3 1', 'half 4', 'flatten'])})`,
  ];
  const text = choices.list(6, () => choices.of(valid)()).join(choices.below(20) ? ', ' : ' ');
  return choices.below(4) ? text : text.replace(choices.of(['2', '3', ' ', ',', '(']), choices.of(words));
}

const shapes = [
  [4, 5],
  [6, 6, 2],
  [20],
  [9, 3],
  [1],
  [1, 1],
  [2, 3, 4, 5],
  [0],
  [2 ** 40],
  [1.5],
  [],
  [-1, 2],
] as const;

const options = [
  ...['train', 'eval', 'predict', 'inspect', 'weights', 'export', 'doctor', 'conformance', 'start', 'help', 'nonsense'],
  ...[
    '--data',
    '--data-dir',
    '--kind',
    '--units',
    '--weights',
    '--activation',
    '--layers',
    '--epochs',
    '--batch',
    '--rate',
  ],
  ...[
    '--schedule',
    '--seed',
    '--runs',
    '--out',
    '--dtype',
    '--json',
    '--help',
    '--version',
    '--invert',
    '--tensor',
    '--',
  ],
  ...[
    '--inputs',
    '--fan-in',
    '--device',
    '--onnx',
    '--numpy-check',
    '--checkpoint',
    '--resume',
    '--filter',
    '-x',
    '--no-json',
  ],
  ...[
    'mnist',
    'half',
    'random',
    'normal',
    'relu',
    'cosine',
    'F16',
    'I8',
    'auto',
    'cpu',
    'gpu',
    'generated',
    'model.safetensors',
  ],
  ...[
    '0',
    '1',
    '-1',
    '1.5',
    '1e999',
    '0:8',
    '8:3',
    '512,256',
    ',',
    '18446744073709551616',
    '9007199254740993',
    'NaN',
    '',
    ' ',
  ],
  ...['half 3, dense 2', 'conv (', '--seed=3', '--units=', '--epochs=-0', '\u0000', '__proto__', '🦊', '0x10', '١'],
];

export const targets: Readonly<Record<string, Target>> = {
  'model files'(choices) {
    const file = disturbFile(choices, choices.of(files));
    checkModel(readModel(file), file.length);
  },
  checkpoints(choices) {
    const file = disturbFile(choices, choices.of(checkpoints));
    const { model, state } = readCheckpoint(file);
    checkModel(model, file.length);
    if (!Number.isSafeInteger(state.epoch)) throw new Wrong('no number of epochs');
  },
  IDX(choices) {
    const shape = choices.list(5, () => choices.of([0, 1, 2, 3, 255, 2 ** 16, 2 ** 32 - 1]));
    const header = new DataView(new ArrayBuffer(4 + 4 * shape.length));
    header.setUint32(0, 0x800 + (choices.below(8) ? shape.length : choices.below(256)));
    for (const [i, size] of shape.entries()) header.setUint32(4 + 4 * i, size);
    const size = Math.min(64, product(shape)) + choices.of([0, 0, 0, 1, -1]);
    const body = Uint8Array.from({ length: Math.max(0, size) }, (_, i) => (i * 7) % 256);
    const whole = Uint8Array.from([...new Uint8Array(header.buffer), ...body]);
    const { shape: found, values } = parseIdx(choices.below(2) ? whole : damage(choices, whole), 'fuzz');
    if (product(found) !== values.length) throw new Wrong(`shape ${found} of ${values.length} bytes`);
    const rows = found[0]!;
    const labels = Array.from({ length: Math.min(rows, 100) }, () => choices.of([0, 1, 9, ...edges]));
    const data = dataSet({ features: values, shape: found.slice(1), labels });
    if (data.features.length !== data.rows * product(data.shape)) throw new Wrong('rows of another size');
  },
  PNG(choices) {
    const png = damage(choices, choices.of(pictures));
    if (choices.below(2)) fixChecksums(png);
    const grey = pngToInput(png, [3, 4], choices.of(['auto', true, false] as const));
    if (grey.length !== 12 || !grey.every((value) => value >= -1e-6 && value <= 1 + 1e-6)) {
      throw new Wrong(`grey values ${grey}`);
    }
  },
  'command lines'(choices) {
    const program = buildProgram();
    const quiet = { writeOut() {}, writeErr() {} };
    for (const command of [program, ...program.commands]) command.configureOutput(quiet);
    for (const command of program.commands) command.action(() => {}); // parsed, not done
    program.parse(
      choices.list(8, () => choices.of(options)),
      { from: 'user' },
    );
  },
  networks(choices) {
    const layers = parseLayers(layersText(choices));
    const shape = choices.of(shapes);
    const seed = choices.of([0, 1, 2n ** 64n - 1n, 2 ** 53 - 1]);
    const size = modelSize({ input: shape, layers }).storedNumbers;
    if (size > 2 ** 14) return; // nothing wrong with a large network, but it takes its time
    const model = sequential(layers, { input: shape, seed });
    checkModel(model, 4 * size);
    const rows = 1 + choices.below(3);
    const { graph, output } = forwardGraph(model, rows);
    if (elements(output) !== rows * product(outputShape(model))) throw new Wrong('an output of another size');
    if (graph.values.some(({ shape }) => product(shape) < 1)) throw new Wrong('an empty value');
    const loss = choices.of(['crossEntropy', 'meanSquaredError'] as const);
    const optimizer = { kind: 'sgd', momentum: 0.9 } as const;
    batchGraph(model, rows, { loss, cached: choices.below(2) === 1, optimizer });
  },
  graphs(choices) {
    const graph = createGraph();
    const sizes = () => choices.list(3, () => choices.of([1, 2, 3, 4, 4, 4, ...edges]));
    const value = (): Value =>
      graph.values.length && choices.below(3)
        ? choices.of(graph.values)
        : choices.of([input, parameter])(graph, 'v', choices.below(2) ? sizes() : [4, 4]);
    const steps = 1 + choices.below(6);
    for (let i = 0; i < steps; i++) {
      const weights = { seed: 1, tensor: i, distribution: choices.of(distributionNames) };
      const made = [
        () => matmul(graph, value(), value(), choices.below(2) === 1, choices.below(2) === 1),
        () => randomMatmul(graph, value(), weights, choices.of([1, 4, 7, ...edges])),
        () => epilogue(graph, value(), choices.below(2) ? value() : undefined, value(), choices.of(activationNames)),
      ][choices.below(3)]!();
      if (!made.shape.every((size) => Number.isSafeInteger(size) && size >= 1)) throw new Wrong(`shape ${made.shape}`);
    }
  },
};

/** The name of the error that a case ended in, or 'accepted'. Throws what no caller could expect. */
export function outcome(target: Target, choices: Choices): string {
  try {
    target(choices);
    return 'accepted';
  } catch (error) {
    if (error instanceof WeightlessError) return error.name;
    if (error instanceof CommanderError) return error.code;
    throw error;
  }
}
