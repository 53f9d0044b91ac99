/** Options of every public function: a name that is misspelt, or a value of another type, is refused by a named error. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { connect as connectOnnx } from '../src/adapters/onnxruntime.ts';
import { connect as connectTensorFlow } from '../src/adapters/tfjs.ts';
import * as conformance from '../src/conformance.ts';
import * as convolution from '../src/convolution.ts';
import { WeightlessError } from '../src/core/errors.ts';
import * as exporting from '../src/export.ts';
import * as fields from '../src/fields.ts';
import * as library from '../src/index.ts';
import * as jax from '../src/jax.ts';
import * as node from '../src/node.ts';
import * as onnxruntime from '../src/onnxruntime.ts';
import * as ops from '../src/ops.ts';
import * as signals from '../src/signals.ts';
import * as tfjs from '../src/tfjs.ts';
import * as train from '../src/train.ts';
import { testContext } from './gpu.ts';
import {
  atOnce,
  misspellings,
  operations,
  perturbed,
  type Row,
  without,
  withPromises,
  wrongValues,
} from './public-functions.ts';

const context = await testContext();
const { device } = context;
const ort = { env: { webgpu: { device } }, Tensor: { fromGpuBuffer: () => undefined } };
const onnx = await connectOnnx(ort as never);
const tensorFlow = await connectTensorFlow({
  backend: () => ({ device, commandQueueOwnedIds: new WeakSet() }),
  getKernel: () => true,
  layers: { Layer: class {} },
  serialization: { registerClass() {} },
} as never);

const random = { weights: 'normal', seed: 1, tensor: 0 };
const also = { seed: ['bigint'] };
const layer = { ...random, units: 3, name: 'layer', inputShape: [4], trainable: true };
const buffer = {} as GPUBuffer;
const image = (rest: object) => ({ ...random, units: 3, ...rest });

/** Adapters and operations, which want a device. */
const onDevice: Readonly<Record<string, Row>> = {
  ...Object.fromEntries(
    Object.entries(operations).flatMap(([op, options]): [string, Row][] => [
      [
        `prepare ${op}`,
        { options, call: (spec: object) => ops.prepare(context, { op, ...spec } as never), texts: ['kernel'] },
      ],
      [
        `prepareNow ${op}`,
        { options, call: (spec: object) => ops.prepareNow(context, { op, ...spec } as never), texts: ['kernel'] },
      ],
    ]),
  ),
  'prepare weights': {
    options: { seed: 1, tensor: 0, distribution: 'normal' },
    also,
    call: (weights) => ops.prepare(context, { op: 'randomMatmul', m: 1, k: 2, n: 3, weights }),
  },
  'ops.randomMatmul': {
    options: { ...operations.randomMatmul, x: buffer, y: buffer, scale: buffer, bias: buffer },
    call: (options) => ops.randomMatmul(context, options),
    texts: ['kernel'],
  },
  conformance: {
    options: { filter: 'x', onFinding() {} },
    call: (options) => conformance.conformance(context, options),
    texts: ['filter'],
  },
  'jax.randomMatrix': { options: image({ fanIn: 2 }), also, call: (options) => jax.randomMatrix({} as never, options) },
  'jax.randomMatmul': {
    options: random,
    also,
    call: (options) => jax.randomMatmul({ numpy: {} } as never, { shape: [2, 3] }, 4, options),
  },
  'jax.connect': {
    options: operations.dense,
    call: async (spec: object) =>
      (await jax.connect({ getWebGPUDevice: () => device } as never)).run({ op: 'dense', ...spec } as never, {}),
  },
  'onnxruntime.connect halfDense': {
    options: { ...image({ fanIn: 2 }), activation: 'relu', scale: [1, 1, 1], bias: [1, 1, 1] },
    also,
    call: (options) => onnx.halfDense(options),
  },
  'onnxruntime.connect run': {
    options: operations.dense,
    call: (spec: object) => onnx.run({ op: 'dense', ...spec } as never, {}),
  },
  'tfjs.connect randomMatmul': {
    options: random,
    also,
    call: (options) => tensorFlow.randomMatmul({} as never, 3, options),
  },
  'tfjs.connect halfDense': {
    options: { ...layer, activation: 'relu' },
    also,
    texts: ['name'],
    call: (options) => tensorFlow.halfDense(options),
  },
  'tfjs.connect veraDense': {
    options: { ...layer, rank: 2, dInitial: 0.1 },
    also,
    texts: ['name'],
    call: (options) => tensorFlow.veraDense(options),
  },
};

const rows = { ...atOnce, ...withPromises, ...onDevice };

/** The error of a call that has to fail. */
async function refusal(row: Row, options: object): Promise<Error> {
  try {
    await row.call(options as never);
  } catch (error) {
    return error as Error;
  }
  return new Error('nothing was refused');
}

function expectNamed(error: Error, name: string): void {
  const named = error instanceof WeightlessError || (error instanceof RangeError && /expected/.test(error.message));
  expect(named, `${error.stack}`).toBe(true);
  expect(error.message.toLowerCase()).toContain(name.toLowerCase());
}

it('every public function is listed', () => {
  const entries = {
    library,
    signals,
    train,
    convolution,
    fields,
    ops,
    exporting,
    node,
    conformance,
    jax,
    tfjs,
    onnxruntime,
  };
  const listed = new Set([...Object.keys(rows).map((name) => name.split(' ')[0]!), ...without]);
  for (const [entry, module] of Object.entries(entries)) {
    for (const [name, value] of Object.entries(module)) {
      if (typeof value !== 'function' || value.prototype instanceof WeightlessError || value === WeightlessError)
        continue;
      expect(listed.has(name) || listed.has(`${entry}.${name}`), `${entry}: ${name}`).toBe(true);
    }
  }
});

describe.each(Object.entries(rows))('%s', (_, row) => {
  const name = fc.constantFrom(...Object.keys(row.options));

  it('refuses a name that is misspelt', () =>
    fc.assert(
      fc.asyncProperty(
        name.chain((one) => fc.tuple(fc.constant(one), fc.constantFrom(...misspellings(one)))),
        async ([one, wrong]) => expectNamed(await refusal(row, perturbed(row, one, { name: wrong })), wrong.trim()),
      ),
      { numRuns: 12 },
    ));

  it('refuses a value of another type', () => {
    const wrong = Object.keys(row.options).flatMap((one) =>
      wrongValues(row, one).map((value) => [one, value] as const),
    );
    return fc.assert(
      fc.asyncProperty(fc.constantFrom(...wrong), async ([one, value]) =>
        expectNamed(await refusal(row, perturbed(row, one, { value })), one),
      ),
      { numRuns: 25 },
    );
  });

  it('refuses what is no object', async () => {
    for (const wrong of [null, 'text', 7, []]) {
      const error = await refusal(row, wrong as never);
      expect(error instanceof WeightlessError, error.stack).toBe(true);
    }
  });

  it('works or names what is missing where an option is left out', async () => {
    for (const one of Object.keys(row.options)) {
      if (one === 'filter') continue; // it would run everything
      const { [one]: _, ...rest } = row.options;
      const error = await refusal(row, rest);
      if (/nothing was refused|has come to backend/.test(error.message)) continue;
      if (error instanceof TypeError && ![...Object.values(atOnce)].includes(row)) continue; // from a stand-in
      expectNamed(error, '');
    }
  });
});
