/** Arrays, buffers and Blobs of another realm, as jsdom, Jest and iframes hand them in: `instanceof` fails for them. */
import { createContext as createRealm, runInContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { dataSet } from '../src/data/dataset.ts';
import { dense, halfDense } from '../src/layers/dense.ts';
import { type Model, sequential } from '../src/model/model.ts';
import { readModel } from '../src/model/safetensors.ts';
import { saveModel } from '../src/model/save.ts';
import { createContext } from '../src/open.ts';
import { loadModel, type ModelSource } from '../src/predict/load.ts';
import { createPredictor } from '../src/predict/predictor.ts';
import { readCheckpoint, saveCheckpoint } from '../src/train/checkpoint.ts';
import { evaluate } from '../src/train/evaluate.ts';
import { testContext } from './gpu.ts';

const realm = createRealm();
type ArrayName = 'Float32Array' | 'Uint8Array' | 'Uint32Array';
const foreign = <T>(name: ArrayName, values: ArrayLike<number>): T => {
  const made = runInContext(`(values) => ${name}.from(values)`, realm)(values);
  expect(made).not.toBeInstanceOf(globalThis[name]);
  return made;
};

const model = sequential([halfDense({ units: 6 }), dense({ units: 3 })], { input: [4], seed: 1 });
const file = saveModel(model);
const inputs = [0.25, -1, 2, 0.5];
const copy = (): Model => readModel(file);

describe.each([
  ['cpu', await createContext({ backend: 'cpu', threads: 1 })],
  ['webgpu', await testContext()],
])('on %s', (_, context) => {
  const predict = async (of: Model, x: ArrayLike<number>) => {
    const predictor = await createPredictor(context, of);
    const outputs = await predictor.predict(x);
    await predictor.dispose();
    return outputs;
  };

  it('inputs', async () => {
    expect(await predict(model, foreign('Float32Array', inputs))).toEqual(await predict(model, inputs));
    const bytes = [0, 51, 102, 255];
    expect(await predict(model, foreign('Uint8Array', bytes))).toEqual(await predict(model, Uint8Array.from(bytes)));
  });

  it('parameters', async () => {
    const other = copy();
    for (const [name, values] of other.parameters) other.parameters.set(name, foreign('Float32Array', values));
    expect(await predict(other, inputs)).toEqual(await predict(model, inputs));
    expect(saveModel(other)).toEqual(file);
  });

  it('data sets', async () => {
    const rows = [...inputs, ...inputs.map((x) => -x)];
    const own = dataSet({ features: Float32Array.from(rows), shape: [4], labels: [0, 2] });
    const others = dataSet({
      features: foreign('Float32Array', rows),
      shape: [4],
      labels: foreign<Uint32Array>('Uint32Array', [0, 2]),
    });
    expect(await evaluate(context, model, others)).toEqual(await evaluate(context, model, own));
  });
});

describe('files', () => {
  const bytes = foreign<Uint8Array<ArrayBuffer>>('Uint8Array', file);
  const { buffer } = bytes;
  const padded = foreign<Uint8Array<ArrayBuffer>>('Uint8Array', [9, 9, ...file, 9]).buffer;
  const sources: [string, ArrayBuffer | ArrayBufferView][] = [
    ['bytes', bytes],
    ['a buffer', buffer],
    ['a DataView of a part', new DataView(padded, 2, file.length)],
    ['bytes of a part', new Uint8Array(padded, 2, file.length)],
  ];

  it.each(sources)('%s: readModel, loadModel', async (_, source) => {
    expect(saveModel(readModel(source))).toEqual(file);
    const context = await createContext({ backend: 'cpu', threads: 1 });
    expect(saveModel((await loadModel(context, source)).model)).toEqual(file);
  });

  it('checkpoints', () => {
    const state = { epoch: 2, optimizer: new Map([['layers.1.weight', Float32Array.of(1, 2)]]) };
    const saved = saveCheckpoint({ model, state, note: 7 });
    const { buffer } = foreign<Uint8Array<ArrayBuffer>>('Uint8Array', saved);
    const read = readCheckpoint(buffer);
    expect(read).toMatchObject({ state, note: 7 });
    expect(saveModel(read.model)).toEqual(file);
  });

  it('a Blob of another realm is read through its stream; one without a stream, as in jsdom 26, is named', async () => {
    const context = await createContext({ backend: 'cpu', threads: 1 });
    const stream = () => new Blob([file]).stream();
    const blob = (members: object) => ({ [Symbol.toStringTag]: 'Blob', ...members }) as unknown as ModelSource;
    expect(saveModel((await loadModel(context, blob({ stream }))).model)).toEqual(file);
    await expect(loadModel(context, blob({}))).rejects.toThrow(
      /^loadModel: expected a model file, got a Blob without stream/,
    );
  });
});
