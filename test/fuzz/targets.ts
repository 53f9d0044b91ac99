/** The fuzz targets. Each builds a case from choices and runs it. It may throw only named errors of the library. */
import { CommanderError } from 'commander';
import { registerConvolutions } from '../../src/convolution.ts';
import { activationNames } from '../../src/core/activations.ts';
import { WeightlessError } from '../../src/core/errors.ts';
import { elementwiseLosses } from '../../src/core/losses.ts';
import { product } from '../../src/core/shape.ts';
import { apply } from '../../src/graph/every-op.ts';
import { createGraph, input, parameter } from '../../src/graph/graph.ts';
import { elements, type Value } from '../../src/graph/value.ts';
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
import { createContext } from '../../src/open.ts';
import { readCheckpoint, saveCheckpoint } from '../../src/train/checkpoint.ts';
import { batchGraph } from '../../src/train/graphs.ts';
import { createLearner, loadLearner } from '../../src/train/learner.ts';
import { distributionNames } from '../../src/weights/distributions.ts';
import { buildProgram } from '../../tools/cli/program.ts';
import { layerNames, parseLayers } from '../../tools/common/architecture.ts';
import { type Choices, damage, disturb, edges, type Target, Wrong } from './choices.ts';
import { dataTargets } from './data-targets.ts';
import { modelTargets } from './model-targets.ts';

registerConvolutions();

const models = [
  'half 5 binary gelu, random 4, dense 3',
  'half 4 orthogonal rank 2, dense 2',
  'half-conv 3 2x2 padding 1, pool 2, residual (conv 3 1, dropout 0.5), global-pool, dense 2',
].map((layers) => sequential(parseLayers(layers), { input: [4, 5], seed: 2n ** 63n + 5n }));

const headerOf = (file: Uint8Array) => 8 + Number(new DataView(file.buffer).getBigUint64(0, true));

/** The file with a modified header, modified bytes, or both. */
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

/** Checks that a model is complete: as many numbers as its layers need, and no more than its file can hold. */
function checkModel(model: Model, fileBytes: number): void {
  const numbers = [...model.parameters.values()].reduce((sum, { length }) => sum + length, 0);
  if (numbers !== modelSize(model).storedNumbers) throw new Wrong(`${numbers} numbers in a model of another size`);
  if (2 * numbers > fileBytes) throw new Wrong(`${numbers} numbers from ${fileBytes} bytes`);
  for (const { name, shape } of modelParameters(model)) {
    if (model.parameters.get(name)?.length !== product(shape)) throw new Wrong(`${name} has another size`);
  }
  outputShape(model);
  if (numbers >= 2 ** 16 || product(model.input) > 2 ** 30) return; // files with larger inputs are rejected, which is a limit, not a defect
  try {
    readModel(saveModel(model));
  } catch (error) {
    throw new Wrong(`a written model cannot be read again: ${(error as Error).message}`);
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

const context = createContext({ backend: 'cpu', threads: 1 });
const learnerStates = (async () => {
  const learner = await createLearner(context, models[2]!, { classes: ['a', 'b', 'c'] });
  await learner.add([...Array(100).keys()], ['a', 'b', 'a', 'c', 'b']);
  return learner.save().finally(() => learner.dispose());
})();

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

/** Text that describes layers: modified valid text, or words in any order. */
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
  async 'learner states'(choices) {
    const state = await learnerStates;
    const learner = await loadLearner(context, choices.below(8) ? disturbFile(choices, state) : state);
    try {
      const predictor = await learner.solve();
      const input = new Float32Array(product(predictor.model.input));
      const scores = await predictor.predict(input).finally(() => predictor.dispose());
      if (scores.length !== learner.classes.length) throw new Wrong(`${scores.length} scores`);
    } finally {
      await learner.dispose();
    }
  },
  ...modelTargets,
  ...dataTargets,
  'command lines'(choices) {
    const program = buildProgram();
    const quiet = { writeOut() {}, writeErr() {} };
    for (const command of [program, ...program.commands]) command.configureOutput(quiet);
    for (const command of program.commands) command.action(() => {}); // parsed, not executed
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
    if (size > 2 ** 14) return; // a large network is valid but slow
    const model = sequential(layers, { input: shape, seed });
    checkModel(model, 4 * size);
    const rows = 1 + choices.below(3);
    const { graph, output } = forwardGraph(model, rows);
    if (elements(output) !== rows * product(outputShape(model))) throw new Wrong('an output of another size');
    if (graph.values.some(({ shape }) => product(shape) < 1)) throw new Wrong('an empty value');
    const loss = choices.of(['crossEntropy', ...elementwiseLosses] as const);
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
        () => {
          const [a, b, transposeA, transposeB] = [value(), value(), choices.below(2) === 1, choices.below(2) === 1];
          return apply(graph, 'matmul', { a, b, transposeA, transposeB }).c;
        },
        () => apply(graph, 'randomMatmul', { x: value(), weights, units: choices.of([1, 4, 7, ...edges]) }).z,
        () => {
          const [z, u, b] = [value(), choices.below(2) ? value() : undefined, value()];
          return apply(graph, 'epilogue', { z, u, b, activation: choices.of(activationNames) }).y;
        },
      ][choices.below(3)]!();
      if (!made.shape.every((size) => Number.isSafeInteger(size) && size >= 1)) throw new Wrong(`shape ${made.shape}`);
    }
  },
};

/** Targets that predict make a machine for each case, some 15 ms: they get a 20th of the cases of others. */
const weightOf = (name: string): number => (/predictions|learner/.test(name) ? 0.05 : 1);

/** The cases of a target, of so many in all. */
export function shareOf(name: string, cases: number, names: readonly string[]): number {
  const all = names.reduce((sum, one) => sum + weightOf(one), 0);
  return Math.ceil((cases * weightOf(name)) / all);
}

/** The name of the error that a case threw, or 'accepted'. Rethrows unexpected errors. */
export async function outcome(target: Target, choices: Choices): Promise<string> {
  try {
    await target(choices);
    return 'accepted';
  } catch (error) {
    if (error instanceof WeightlessError) return error.name;
    if (error instanceof CommanderError) return error.code;
    throw error;
  }
}
