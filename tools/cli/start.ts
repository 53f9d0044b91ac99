/**
 * `weightless start`: the main job. Three networks on MNIST: a half one, a random one whose output layer is solved, and a
 * full one. Then the half one once more on WebGPU: the same weights, the same answers.
 */
import { adapterName } from '../../src/backend/adapter.ts';
import type { Backend } from '../../src/backend/backend.ts';
import { evaluateOnce } from '../../src/backend/evaluation.ts';
import { NoAdapterError, WeightlessError } from '../../src/core/errors.ts';
import { checkWritable, writeResult } from '../../src/core/files.ts';
import { type DataSet, head } from '../../src/data/dataset.ts';
import { loadMnist } from '../../src/data/mnist.ts';
import { boundByName } from '../../src/graph/graph.ts';
import type { Value } from '../../src/graph/value.ts';
import { forwardGraph, inputSize, type Model } from '../../src/model/model.ts';
import { readModel } from '../../src/model/safetensors.ts';
import { saveModel } from '../../src/model/save.ts';
import { nodeGpu } from '../../src/node.ts';
import { createContext } from '../../src/open.ts';
import { evaluate } from '../../src/train/evaluate.ts';
import type { EpochReport } from '../../src/train/fit.ts';
import { count, percent, print, say } from '../common/output.ts';
import { runsTable, type TrainedRun, type TrainOptions, trainOne } from './trained-run.ts';

/** Test images for the adapter, which may be a software one. */
const GPU_IMAGES = 500;

/** Where the main job leaves its model. */
const MODEL_FILE = 'mnist-half-patch-1536.safetensors';

interface StartOptions {
  json?: boolean;
  epochs: number;
}

/** What the WebGPU adapter makes of the half model. */
interface GpuCheck {
  readonly adapter: string;
  /** Random weights that were compared. */
  readonly weights: number;
  readonly images: number;
  /** Of these test images, on WebGPU and on the CPU. */
  readonly accuracy: number;
  readonly cpuAccuracy: number;
}

/** `context`: where to train, on what is fastest. */
export async function startCommand(context: Backend, { json, epochs }: StartOptions): Promise<void> {
  await checkWritable(MODEL_FILE);
  const test = await loadMnist('test');
  const data = { train: await loadMnist('train'), test, watched: test };
  const report = json ? () => {} : say;
  const options: TrainOptions = {
    ...{ kind: 'half', units: [1536], weights: 'patch', activation: 'relu' },
    ...{ epochs, batch: 128, rate: 0.004, schedule: 'cosine', seed: 0, runs: 1 },
    ...(json && { json }),
  };
  const networks: { what: string; options: TrainOptions }[] = [
    { what: 'half: two numbers a unit and the output layer are trained', options },
    {
      what: 'random: the output layer alone is solved, without steps',
      options: { ...options, kind: 'random', solver: 'logistic' },
    },
    { what: 'full: an ordinary network, every weight is trained', options: { ...options, kind: 'full', units: [256] } },
  ];
  const runs: TrainedRun[] = [];
  let half: Model | undefined;
  for (const { what, options: how } of networks) {
    report(`${what}; 60,000 images`);
    const onEpoch = ({ epoch, loss, validation }: EpochReport) =>
      report(`  epoch ${epoch}: loss ${loss.toFixed(4)}, test accuracy ${percent(validation!.accuracy)}`);
    const { model, run } = await trainOne(context, how, how.seed, data, onEpoch);
    runs.push(run);
    if (half) continue;
    half = model;
    await writeResult(MODEL_FILE, saveModel(model));
  }
  const gpu = await checkOnGpu(readModel(saveModel(half!)), test, report);
  print(json, { runs, gpu, file: MODEL_FILE }, () =>
    [
      runsTable(runs),
      `trained on: ${runs[0]!.adapter}`,
      gpu ? gpuText(gpu) : 'WebGPU: no adapter here (npx weightless doctor says what is missing)',
      `model: ${MODEL_FILE} (a seed, two numbers a hidden unit, the output layer; its random weights are regenerated)`,
      '',
      'Try next:',
      `  npx weightless eval ${MODEL_FILE}`,
      `  npx weightless inspect ${MODEL_FILE}`,
      `  npx weightless predict ${MODEL_FILE} digit.png`,
      '  npx weightless train --weights binary --units 2048 --epochs 20 --out binary.safetensors',
      '  npx weightless weights --seed 0 --distribution normal --inputs 0:4 --units 0:8',
    ].join('\n'),
  );
}

const gpuText = ({ adapter, weights, images, accuracy, cpuAccuracy }: GpuCheck): string =>
  `WebGPU, ${adapter}: all ${count(weights)} entries of the random matrix are those of the CPU, bit for bit; ` +
  `${percent(accuracy)} of the first ${count(images)} test images are right, on the CPU ${percent(cpuAccuracy)}`;

/** Undefined without a WebGPU adapter. Throws `WeightlessError` where a weight is another one. */
async function checkOnGpu(model: Model, test: DataSet, report: (line: string) => void): Promise<GpuCheck | undefined> {
  const gpu = await nodeGpu().catch((error) => {
    if (error instanceof NoAdapterError) return undefined;
    throw error;
  });
  if (!gpu) return undefined;
  const [webgpu, cpu] = [await createContext({ gpu, backend: 'webgpu' }), await createContext({ backend: 'cpu' })];
  try {
    report('the saved half model once more, on WebGPU');
    const [there, here] = [await weightBits(webgpu, model), await weightBits(cpu, model)];
    const different = here.reduce((sum, bits, i) => sum + Number(bits !== there[i]), 0);
    const some = head(test, GPU_IMAGES);
    const [{ accuracy }, { accuracy: cpuAccuracy }] = [
      await evaluate(webgpu, model, some),
      await evaluate(cpu, model, some),
    ];
    const adapter = adapterName(webgpu.adapter);
    if (different) {
      throw new WeightlessError(
        `start: expected the random weights of the CPU on ${adapter}, got ${different} others of ${here.length}. ` +
          'Run npx weightless conformance, and report what it says.',
      );
    }
    return { adapter, weights: here.length, images: some.rows, accuracy, cpuAccuracy };
  } finally {
    webgpu.dispose();
    cpu.dispose();
  }
}

/** The first layer's products of each input alone, which are its weights: one multiplication each, in any order the same. */
async function weightBits(backend: Backend, model: Model): Promise<Uint32Array> {
  const inputs = inputSize(model);
  const { graph, x, layers } = forwardGraph(model, inputs);
  const basis = new Float32Array(inputs * inputs);
  for (let i = 0; i < inputs; i++) basis[i * inputs + i] = 1;
  const given = new Map<Value, Float32Array>([[x, basis], ...boundByName(graph, model.parameters)]);
  const { z } = layers[0]!;
  const products = (await evaluateOnce(backend, graph, given, [z!])).get(z!)!;
  return new Uint32Array(products.map((value) => value + 0).buffer); // -0 + 0 is 0: an input without a weight has either
}
