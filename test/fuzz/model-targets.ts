/** Targets that predict: damaged model files, layers of any size, what models say of their data, wrong options. */
import { WeightlessError } from '../../src/core/errors.ts';
import { product } from '../../src/core/shape.ts';
import { registerEveryKind } from '../../src/layers/every.ts';
import { type Model, modelSize, outputSize, sequential } from '../../src/model/model.ts';
import { setPreparation } from '../../src/model/preparation-metadata.ts';
import { readModel } from '../../src/model/safetensors.ts';
import { saveModel } from '../../src/model/save.ts';
import { createContext } from '../../src/open.ts';
import { loadModel } from '../../src/predict/load.ts';
import { createPredictor } from '../../src/predict/predictor.ts';
import { parseLayers } from '../../tools/common/architecture.ts';
import { atOnce, misspellings, perturbed, withPromises, wrongValues } from '../public-functions.ts';
import { type Choices, disturb, edges, type Target, Wrong } from './choices.ts';

registerEveryKind();

let opened: ReturnType<typeof createContext> | undefined;

/** One context for all cases. */
const cpu = () => (opened ??= createContext({ backend: 'cpu', threads: 1 }));

const named = (layers: string, input: readonly number[]) => sequential(parseLayers(layers), { input, seed: 7 });

const models = [
  named('half 5 binary gelu, random 4, dense 3', [4, 5]),
  named('half 4 orthogonal rank 2, dense 2', [4, 5]),
  named('half-conv 3 2x2 padding 1, pool 2, residual (conv 3 1, dropout 0.5), global-pool, dense 2', [4, 5]),
  named('half 6 patch, vera 4 rank 2, gated (dense 4), dense 2', [4, 5]),
  named('average-pool 2x2 stride 1, flatten, half 3 sparse', [5, 5, 2]),
];

/** The header of a model file, and its tensors. */
function parts(file: Uint8Array): { header: unknown; data: Uint8Array } {
  const start = 8 + Number(new DataView(file.buffer).getBigUint64(0, true));
  return { header: JSON.parse(new TextDecoder().decode(file.subarray(8, start))), data: file.subarray(start) };
}

function joined(header: unknown, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(JSON.stringify(header));
  const file = new Uint8Array(8 + json.length + data.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  file.set(data, 8 + json.length);
  return file;
}

async function predictOnce(model: Model, input: ArrayLike<number>): Promise<void> {
  const predictor = await createPredictor(cpu(), model);
  try {
    const output = await predictor.predict(input);
    if (output.length !== outputSize(model)) throw new Wrong(`${output.length} outputs of ${outputSize(model)}`);
  } finally {
    await predictor.dispose();
  }
}

/** Models with a preparation of each kind, and an input of it. */
const prepared: readonly (readonly [Uint8Array, unknown])[] = (() => {
  const classification = { task: 'classification', label: 'y', classes: ['a', 'b'] } as const;
  const table = named('half 4, dense 2', [3]);
  setPreparation(table, {
    inputs: {
      kind: 'table',
      columns: [
        { kind: 'number', name: 'width', mean: 1, deviation: 2 },
        { kind: 'category', name: 'colour', categories: ['red', 'blue'] },
      ],
      ignored: ['id'],
      header: true,
    },
    outputs: classification,
  });
  const image = named('half 4, dense 2', [4, 4]);
  setPreparation(image, {
    inputs: {
      kind: 'image',
      height: 4,
      width: 4,
      channels: 1,
      scale: 1 / 255,
      shift: 0,
      fit: 'stretch',
      invert: false,
    },
    outputs: classification,
  });
  const regression = named('half 4, dense 1', [3]);
  setPreparation(regression, {
    inputs: { kind: 'numbers' },
    outputs: { task: 'regression', targets: [{ name: 'y', mean: 1, deviation: 2 }] },
  });
  const pixels = { width: 5, height: 6, data: new Uint8ClampedArray(120).fill(9) };
  return [
    [saveModel(table), { width: 3, colour: 'red' }],
    [saveModel(image), pixels],
    [saveModel(regression), [1, 2, 3]],
  ];
})();

const rows = Object.entries({ ...atOnce, ...withPromises }).filter(([, { options }]) => Object.keys(options).length);

/** Layers whose work does not follow from what is stored, at sizes that tend to break limits. */
function largeLayers(choices: Choices): { layers: unknown[]; input: number[] } {
  const sizes = [1, 1, 2, 3, 7, 16, 31, 64, 255, 600, 2048, 4096, ...edges.filter((edge) => edge >= 2)];
  const one = () => choices.of(choices.below(4) ? sizes.slice(0, 9) : sizes);
  const pair = () => [one(), one()];
  const border = () => [one() - 1, one() - 1];
  const input = [one(), one(), ...(choices.below(2) ? [choices.of([1, 2, 3, 8, 64])] : [])];
  const filters = () => ({
    ...{ channels: choices.of([1, 2, 8]), kernel: pair(), stride: pair(), padding: border(), dilation: pair() },
    activation: 'relu',
  });
  const kinds = [
    () => ({ kind: 'pool', pool: choices.of(['max', 'average']), size: pair(), stride: pair() }),
    () => ({ kind: 'globalPool' }),
    () => ({ kind: 'flatten' }),
    () => ({ kind: 'dropout', rate: 0.5 }),
    () => ({ kind: 'halfConv', weights: choices.of(['normal', 'binary']), trained: true, ...filters() }),
    () => ({
      kind: 'half',
      units: one(),
      weights: choices.of(['normal', 'orthogonal']),
      activation: 'relu',
      trained: true,
    }),
  ];
  return { layers: [choices.of(kinds)(), ...choices.list(2, () => choices.of(kinds)())], input };
}

export const modelTargets: Readonly<Record<string, Target>> = {
  async predictions(choices) {
    const { header, data } = parts(saveModel(choices.of(models), { dtype: choices.of(['F32', 'F16', 'I8']) }));
    const times = choices.below(3);
    let made = header;
    for (let i = 0; i < times; i++) made = disturb(choices, made);
    const model = readModel(joined(made, data));
    const size = product(model.input);
    const values = () => choices.of([0, 1, -1, 0.5, 255, 1e30, ...(choices.below(32) ? [] : [Number.NaN, 1e300])]);
    const input = Array.from({ length: size > 4096 ? size : size + Number(choices.below(16) === 0) }, (_, i) =>
      i < 20 ? values() : 0,
    );
    await predictOnce(model, choices.below(2) ? Float32Array.from(input) : input);
  },
  async 'work of predictions'(choices) {
    const { layers, input } = largeLayers(choices);
    const { header } = parts(saveModel(models[0]!));
    const metadata = {
      ...(header as { __metadata__: object }).__metadata__,
      ...{ input: JSON.stringify(input), layers: JSON.stringify(layers) },
    };
    const bare = joined({ __metadata__: metadata }, new Uint8Array());
    try {
      await predictOnce(readModel(bare), new Uint8Array(product(input)));
    } catch (error) {
      // The layers fit, only their tensors lack: the same model with them.
      if (!/expected tensor/.test((error as Error).message)) throw error;
      const architecture = { input, layers: layers as Model['layers'] };
      if (modelSize(architecture).storedNumbers > 2 ** 20) return;
      await predictOnce(
        readModel(saveModel(sequential(architecture.layers, { input }))),
        new Uint8Array(product(input)),
      );
    }
  },
  async 'raw predictions'(choices) {
    const [file, input] = choices.of(prepared);
    const { header, data } = parts(file);
    const metadata = (header as { __metadata__: Record<string, string> }).__metadata__;
    const times = choices.below(3);
    let said: unknown = JSON.parse(metadata.preparation!);
    for (let i = 0; i < times; i++) said = disturb(choices, said);
    metadata.preparation = JSON.stringify(said);
    const predictor = await loadModel(cpu(), joined(header, data));
    try {
      const given: unknown = choices.below(2) ? disturb(choices, structuredClone(input)) : input;
      const method = choices.of(['classify', 'estimate'] as const);
      const made = await predictor[method](given as object);
      if (!Array.isArray(made)) throw new Wrong(`${method} returned ${typeof made}`);
    } finally {
      await predictor.dispose();
    }
  },
  async options(choices) {
    const [name, row] = choices.of(rows);
    const option = choices.of(Object.keys(row.options));
    const wrong = wrongValues(row, option);
    const misspelt = choices.below(2) === 0 || wrong.length === 0;
    const options = misspelt
      ? perturbed(row, option, { name: choices.of(misspellings(option)) })
      : perturbed(row, option, { value: choices.of(wrong) });
    if (choices.below(64) === 0) return; // so that something is accepted: the calls themselves are tested elsewhere
    try {
      await row.call(options as never);
    } catch (error) {
      if (error instanceof RangeError && /expected/.test(error.message)) throw new WeightlessError(error.message);
      throw error;
    }
    throw new Wrong(`${name}: ${misspelt ? 'a misspelt' : 'a wrong value of'} '${option}' passed`);
  },
};
