/** Training that stops and goes on: the bits of training that did not, on the CPU, on WebGPU, and past SIGKILL. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ModelFileError, ShapeError, WriteError } from '../src/core/errors.ts';
import { dataSet } from '../src/data/dataset.ts';
import { dense, halfDense } from '../src/layers/dense.ts';
import { type Model, sequential } from '../src/model/model.ts';
import { createContext } from '../src/open.ts';
import { readCheckpoint, saveCheckpoint } from '../src/train/checkpoint.ts';
import { cosine, fit } from '../src/train/fit.ts';
import type { FitOptions } from '../src/train/options.ts';
import type { TrainingState } from '../src/train/training.ts';
import { type TrainOptions, trainOne } from '../tools/cli/trained-run.ts';
import { testContext } from './gpu.ts';

const cpu = await createContext({ backend: 'cpu', threads: 1 });
afterAll(() => cpu.dispose());

const data = dataSet({
  features: Uint8Array.from({ length: 50 * 12 }, (_, i) => (i * i * 31) % 256),
  shape: [12],
  labels: Array.from({ length: 50 }, (_, i) => i % 3),
});
const network = () => sequential([halfDense({ units: 9 }), dense({ units: 3 })], { input: [12], seed: 4 });
const options: FitOptions = { epochs: 4, batchSize: 16, learningRate: cosine(0.02) };
const start = (): TrainingState => ({ epoch: 0, optimizer: new Map() });

async function train(context: Parameters<typeof fit>[0], model: Model, state: TrainingState, until = 4) {
  for await (const { epoch } of fit(context, model, data, { ...options, state })) if (epoch === until) break;
  return model.parameters;
}

describe('a training that stops goes on to the same bits', () => {
  it.each(['cpu', 'webgpu'] as const)('%s', async (backend) => {
    const context = backend === 'cpu' ? cpu : await testContext();
    const whole = await train(context, network(), start());
    const [model, state] = [network(), start()];
    await train(context, model, state, 2);
    expect(state.epoch).toBe(2);
    expect(model.parameters).not.toEqual(whole);
    const read = readCheckpoint(saveCheckpoint({ model, state, note: { by: 'test' } }));
    expect(read).toEqual({ model, state, note: { by: 'test' } });
    expect(await train(context, read.model, read.state)).toEqual(whole);
    expect(read.state.epoch).toBe(4);
    // What the optimizer keeps counts: without it the same epochs end elsewhere.
    for (const values of state.optimizer.values()) values.fill(0);
    expect(await train(context, model, state)).not.toEqual(whole);
  });

  it('but not with the state of another model', async () => {
    const state = { epoch: 1, optimizer: new Map([['layers.1.b.moment1', new Float32Array(4)]]) };
    await expect(train(cpu, network(), state)).rejects.toThrow(ShapeError);
    await expect(train(cpu, network(), state)).rejects.toThrow(/expected 3 numbers of 'layers.1.b.moment1'.* got 4/);
  });
});

it('a checkpoint that can no longer be written is in the place that the error names', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'weightless-gone-'));
  const run: TrainOptions = {
    ...{ dataDir: folder, kind: 'half', units: [4], weights: 'normal', activation: 'relu' },
    ...{ epochs: 4, batch: 16, rate: 0.01, schedule: 'constant', seed: 1, runs: 1, json: true },
    checkpoint: join(folder, 'c'),
  };
  const gone = () => rmSync(folder, { recursive: true, force: true }); // after the first epoch
  const failed = await trainOne(cpu, run, 1, { train: data, test: data }, gone).catch((error: Error) => error);
  expect(failed).toBeInstanceOf(WriteError);
  const [, kept] = /expected an existing folder .*The result is in (.*)\.$/.exec((failed as Error).message)!;
  expect(readCheckpoint(readFileSync(kept!)).state.epoch).toBe(2);
  rmSync(join(kept!, '..'), { recursive: true });
});

it('a checkpoint that is cut is refused by name', () => {
  const file = saveCheckpoint({ model: network(), state: start(), note: null });
  for (let length = 0; length < file.length; length += 7) {
    expect(() => readCheckpoint(file.subarray(0, length)), `${length} bytes`).toThrow(ModelFileError);
  }
});

it('a training that is killed loses nothing', () => {
  const script = join(import.meta.dirname, '../scripts/kill-test.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--kills', '2', '--epochs', '6'], {
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(/^2 kills, .* nothing lost\n$/);
});
