/** The command line as a user meets it: dist/cli.js in a process of its own. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommanderError } from 'commander';
import { encode } from 'fast-png';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadMnist } from '../src/data/mnist.ts';
import { exportOnnx } from '../src/export/onnx.ts';
import { sequential } from '../src/model/model.ts';
import { readModel } from '../src/model/safetensors.ts';
import { saveModel } from '../src/model/save.ts';
import { readCheckpoint } from '../src/train/checkpoint.ts';
import { elementwiseNames, integerWeights, weightScale } from '../src/weights/distributions.ts';
import { buildProgram } from '../tools/cli/program.ts';
import { parseLayers } from '../tools/common/architecture.ts';
import { writeStripedImages } from './striped-images.mjs';

const cli = join(import.meta.dirname, '../dist/cli.js');
const folder = mkdtempSync(join(tmpdir(), 'weightless-cli-'));
const model = join(folder, 'model.safetensors');

function run(args: string[], env: Record<string, string> = {}) {
  const made = spawnSync(process.execPath, [cli, ...args], {
    encoding: 'utf8',
    cwd: folder,
    env: { ...process.env, ...env },
    timeout: 120_000,
  });
  return { code: made.status, out: made.stdout, err: made.stderr };
}

// On the CPU, which is quick; WebGPU evaluates it and predicts with it, and trains on images of your own.
beforeAll(() => {
  const train = [
    'train',
    '--backend',
    'cpu',
    '--units',
    '64',
    '--epochs',
    '1',
    '--seed',
    '3',
    '--out',
    model,
    '--json',
  ];
  const { code, out, err } = run(train);
  expect(code, err).toBe(0);
  const { runs } = JSON.parse(out);
  expect(runs[0].testAccuracy).toBeGreaterThan(0.75);
  expect(runs[0].trainedParameters).toBe(2 * 64 + 64 * 10 + 10);
}, 180_000);

describe('weightless', () => {
  it('train left a model, eval finds it as good', () => {
    expect(readModel(readFileSync(model)).seed).toBe(3);
    const { code, out } = run(['eval', model, '--backend', 'webgpu', '--json']);
    expect(code).toBe(0);
    const answer = JSON.parse(out);
    expect(answer).toMatchObject({ images: 10000, trainedParameters: 778, modelBytes: readFileSync(model).length });
    expect(answer.accuracy).toBeGreaterThan(0.75);
  });

  it('conformance holds the kernels to their twins', () => {
    const { code, out, err } = run(['conformance', '--filter', 'golden', '--json']);
    expect(code, err).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ passed: true, findings: [{ kernels: ['random_weights'], wrong: [] }] });
    expect(run(['conformance', '--filter', 'slices']).out).toMatch(/conforms\nstream version 1, digest [0-9a-f]{64}/);
    const nothing = run(['conformance', '--filter', 'no such']);
    expect(nothing.code).toBe(1);
    expect(nothing.err).toMatch(/golden vectors of the weights;.*got 'no such'/);
  });

  it('predict reads pictures of any size, light or dark', async () => {
    const test = await loadMnist('test');
    const files = [0, 1, 2, 3, 4, 5].map((i) => {
      const pixels = test.features.slice(i * 784, (i + 1) * 784) as Uint8Array;
      const large = i % 2 === 1; // every second one twice as large, dark on light
      const width = large ? 56 : 28;
      const data = Uint8Array.from({ length: width * width }, (_, at) => {
        const [y, x] = [Math.floor(at / width), at % width];
        return large ? 255 - pixels[(y >> 1) * 28 + (x >> 1)]! : pixels[at]!;
      });
      const file = join(folder, `digit-${i}.png`);
      writeFileSync(file, encode({ width, height: width, data, channels: 1 }));
      return file;
    });
    const { code, out } = run(['predict', model, ...files, '--backend', 'webgpu', '--json']);
    expect(code).toBe(0);
    const answers = JSON.parse(out) as { class: number; scores: number[] }[];
    const hits = answers.filter((answer, i) => answer.class === test.labels[i]).length;
    expect(hits).toBeGreaterThanOrEqual(4);
    for (const { scores } of answers) expect(scores.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
  });

  it('train and eval take images of your own, and F16 files take half the bytes', () => {
    const own = join(folder, 'own');
    writeStripedImages(own, 300);
    const half = join(folder, 'own-half.safetensors');
    const train = [
      'train',
      '--backend',
      'webgpu',
      '--data-dir',
      own,
      '--units',
      '32',
      '--epochs',
      '5',
      '--batch',
      '32',
      '--rate',
      '0.02',
      '--json',
    ];
    const { code, out, err } = run([...train, '--out', half, '--dtype', 'F16']);
    expect(code, err).toBe(0);
    const [made] = JSON.parse(out).runs;
    expect(made).toMatchObject({ network: '20-32-3 half normal', modelBytes: readFileSync(half).length });
    expect(made.testAccuracy).toBeGreaterThan(0.95);
    expect(readModel(readFileSync(half)).input).toEqual([5, 4]);
    const evaluated = JSON.parse(run(['eval', half, '--data-dir', own, '--json']).out);
    expect(evaluated).toMatchObject({ images: 60, data: own });
    expect(evaluated.accuracy).toBeGreaterThan(0.95);
    expect(run(['eval', half, '--data-dir', own]).out).toMatch(/test accuracy/);
    const missing = run(['eval', half, '--data-dir', folder]);
    expect(missing.code).toBe(1);
    expect(missing.err).toMatch(
      /DataError: --data-dir: expected .* to hold one of: IDX files.*Got own\/, digit-0\.png/,
    );
  });

  it('export writes ONNX and a Python program that predicts', () => {
    const [onnx, program] = [join(folder, 'model.onnx'), join(folder, 'check.py')];
    const { code, out, err } = run(['export', model, '--onnx', onnx, '--numpy-check', program, '--json']);
    expect(code, err).toBe(0);
    expect(JSON.parse(out)).toMatchObject([
      { file: onnx, bytes: readFileSync(onnx).length },
      { file: program, bytes: readFileSync(program).length },
    ]);
    expect(readFileSync(onnx)).toEqual(Buffer.from(exportOnnx(readModel(readFileSync(model)))));
    expect(run(['export', model, '--onnx', onnx, '--weights', 'stored']).out).toMatch(/random weights stored/);
    expect(readFileSync(onnx).length).toBeGreaterThan(4 * 784 * 64);
    const digit = join(folder, 'digit-idx');
    writeFileSync(
      digit,
      Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 28, 0, 0, 0, 28, ...new Uint8Array(784).fill(9)),
    );
    expect(spawnSync('python3', [program, model, digit], { encoding: 'utf8' }).stdout).toMatch(/^\d\n$/);
    expect(run(['export', model])).toMatchObject({ code: 1, err: expect.stringMatching(/expected --onnx FILE or/) });
  });

  it('inspect shows layers and sizes', () => {
    const { out } = run(['inspect', model, '--json']);
    const answer = JSON.parse(out);
    expect(answer).toMatchObject({ streamVersion: 1, seed: 3, trainedParameters: 778, regeneratedWeights: 784 * 64 });
    expect(answer.layers.map(({ kind }: { kind: string }) => kind)).toEqual(['half', 'dense']);
    expect(run(['inspect', model]).out).toMatch(/normal, regenerated/);
  });

  it('inspect shows layers over images, and those within others', () => {
    const layers = parseLayers('half-conv 4 3x3 same binary, residual (conv 4 1x1), pool 2, half 8 rank 2, dense 3');
    const file = join(folder, 'images.safetensors');
    writeFileSync(file, saveModel(sequential(layers, { input: [6, 6] })));
    const answer = JSON.parse(run(['inspect', file, '--json']).out);
    expect(answer.layers.map(({ index, kind, output }: Record<string, unknown>) => [index, kind, output])).toEqual([
      [0, 'halfConv', [6, 6, 4]],
      [1, 'residual', [6, 6, 4]],
      [2, 'conv', [6, 6, 4]],
      [3, 'pool', [3, 3, 4]],
      [4, 'half', [8]],
      [5, 'dense', [3]],
    ]);
    expect(run(['inspect', file]).out).toMatch(
      /half-conv 4 3x3 binary relu .*6 x 6 +│ 6 x 6 x 4 +│ binary, regenerated/,
    );
  });

  it.each(elementwiseNames)('weights prints the same %s slice from CPU and GPU', (distribution) => {
    const slice = [
      '--seed',
      '7',
      '--tensor',
      '2',
      '--distribution',
      distribution,
      '--inputs',
      '3:40',
      '--units',
      '5:20',
      '--json',
    ];
    const [cpu, gpu] = ['cpu', 'gpu'].map((device) => run(['weights', ...slice, '--device', device]));
    expect(cpu!.code).toBe(0);
    expect(gpu!.out).toBe(cpu!.out);
    const { scale, values } = JSON.parse(cpu!.out);
    expect(scale).toBe(weightScale(distribution, 40));
    expect(values.flat()).toEqual([...integerWeights({ seed: 7, tensor: 2, distribution }, [3, 40], [5, 20])]);
  });

  it('doctor finds an adapter and the CPU', () => {
    const { code, out } = run(['doctor', '--json']);
    expect(code).toBe(0);
    const { usable, findings } = JSON.parse(out);
    expect(usable).toBe(true);
    for (const what of ['CPU', 'adapter, high-performance']) {
      expect(findings).toContainEqual({ what, found: true, detail: expect.stringMatching(/./) });
    }
  });
});

describe('exit codes', () => {
  let parsed = '';
  /** Reads arguments in this process. Leaves what it prints on stderr in `parsed`. */
  const parse = (args: readonly string[]) => {
    parsed = '';
    const program = buildProgram();
    const writeErr = (text: string) => {
      parsed += text;
    };
    for (const command of [program, ...program.commands]) command.configureOutput({ writeErr });
    program.parse(args, { from: 'user' });
  };
  it('2 for usage, with what was expected', () => {
    for (const [args, message] of [
      [['train', '--epochs', '0'], /argument '0' is invalid. expected a positive integer/],
      [['train', '--epochs', '1.5'], /argument '1.5' is invalid. expected a positive integer/],
      [['train', '--batch', 'NaN'], /argument 'NaN' is invalid. expected a positive integer/],
      [['train', '--rate', '-1'], /argument '-1' is invalid. expected a positive number/],
      [['train', '--units', '1e9'], /argument '1e9' is invalid. expected at most 16777216 units in a layer/],
      [['train', '--weights', 'gaussian'], /Allowed choices are normal, binary/],
      [['train', '--layers', 'conv 16 3x3, pol 2'], /expected a layer .*, got 'pol':\n {2}conv 16 3x3, pol 2\n {15}\^/],
      [['weights', '--inputs', '8:3'], /expected FROM:TO/],
      [['nonsense'], /unknown command/],
    ] as const) {
      expect(() => parse(args)).toThrow(CommanderError); // which the process turns into its exit code
      expect(parsed).toMatch(message);
    }
    expect(run(['eval'])).toMatchObject({ code: 2, err: expect.stringMatching(/missing required argument/) });
    expect(run(['train', '--rate', '-1'])).toMatchObject({ code: 2, err: expect.stringMatching(/a positive number/) });
  });

  it('0 for help', () => {
    expect(run(['--help'])).toMatchObject({ code: 0, out: expect.stringContaining('weightless') });
    expect(run(['train', '--help']).code).toBe(0);
  });

  it('1 for files that are no models, are damaged or missing', () => {
    const bytes = readFileSync(model);
    const short = join(folder, 'short.safetensors');
    writeFileSync(short, bytes.subarray(0, bytes.length - 5));
    expect(run(['inspect', short])).toMatchObject({ code: 1, err: expect.stringMatching(/ModelFileError.*truncated/) });
    expect(run(['inspect', join(folder, 'none')])).toMatchObject({
      code: 1,
      err: expect.stringMatching(/DataError.*ENOENT/),
    });
    expect(run(['predict', model, cli])).toMatchObject({ code: 1, err: expect.stringMatching(/DataError.*PNG/) });
  });

  it('1 without an adapter where WebGPU is asked for, and says how to get one; else the CPU computes', () => {
    const none = { VK_ICD_FILENAMES: '/nonexistent.json', VK_DRIVER_FILES: '/nonexistent.json' };
    const { code, err } = run(['eval', model, '--backend', 'webgpu'], none);
    expect(code).toBe(1);
    expect(err).toMatch(/NoAdapterError.*apt-get install/);
    const onCpu = run(['eval', model, '--json'], none);
    expect(onCpu.code, onCpu.err).toBe(0);
    expect(JSON.parse(onCpu.out).accuracy).toBeGreaterThan(0.75);
  });
});

it('a train that is stopped leaves no file, whole or partial', async () => {
  const [own, checkpoint] = [join(folder, 'stopped'), join(folder, 'stopped.checkpoint')];
  writeStripedImages(own, 300);
  const train = ['train', '--data-dir', own, '--units', '32', '--epochs', '100000', '--checkpoint', checkpoint];
  const child = spawn(process.execPath, [cli, ...train, '--out', 'never.safetensors'], { cwd: folder });
  const ended = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
  // Stopped in the middle of it: an epoch is done, and many are not.
  await expect.poll(() => existsSync(checkpoint) || child.exitCode !== null, { timeout: 100_000 }).toBe(true);
  child.kill('SIGINT');
  expect(await ended).toBe('SIGINT');
  expect(readdirSync(folder).filter((name) => name.startsWith('never'))).toEqual([]);
  expect(readCheckpoint(readFileSync(checkpoint)).state.epoch).toBeGreaterThan(0);
});
