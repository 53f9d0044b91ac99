/** `--data-dir` as a user meets it: the README's example as it stands there, pictures with names, and what is refused. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { beforeAll, describe, expect, it } from 'vitest';
import { readModel } from '../src/model/safetensors.ts';
import { classesOf } from '../tools/cli/same-classes.ts';
import { exifSegment, makeJpeg, withSegments } from './make-jpeg.ts';

const root = join(import.meta.dirname, '..');
const cli = join(root, 'dist/cli.js');
const folder = mkdtempSync(join(tmpdir(), 'weightless-own-data-'));

function run(...args: string[]) {
  const options = { encoding: 'utf8', cwd: folder, timeout: 60_000 } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args, '--backend', 'cpu'], options);
  return { code: status, out: stdout, err: stderr };
}

const refuses = (message: RegExp, ...args: string[]) => {
  const { code, err } = run(...args);
  expect(err).toMatch(message);
  expect(code).toBe(1);
};

beforeAll(() => {
  const [, block] = /## Your own data\n.*?```sh run\n(.*?)```/s.exec(readFileSync(join(root, 'README.md'), 'utf8'))!;
  const commands = block!.replace(/npx weightless (\w+)/g, `'${process.execPath}' '${cli}' $1 --backend cpu --json`);
  const made = spawnSync('sh', ['-e', '-c', commands], { encoding: 'utf8', cwd: folder, timeout: 60_000 });
  expect(made.status, made.stderr).toBe(0);
  const [trained, evaluated, predicted] = made.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(trained.meanAccuracy).toBeGreaterThan(0.9);
  expect(trained.notes).toContain('2 columns of numbers, standardised, and 1 of texts, one-hot: 4 inputs');
  const [inside, outside] = evaluated.classes;
  // The content of a row decides its part: about a fifth of the 1,500 rows, the same ones on every machine.
  expect([inside.name, outside.name, inside.rows, outside.rows]).toEqual(['inside', 'outside', 141, 151]);
  expect(evaluated.balancedAccuracy).toBeCloseTo((inside.recall + outside.recall) / 2, 12);
  expect(evaluated.accuracy).toBe(trained.meanAccuracy);
  expect(predicted).toMatchObject([
    { file: 'points.csv', row: 1, name: 'inside' },
    { file: 'points.csv', row: 2, name: 'outside' },
  ]);
}, 60_000);

describe('tables', () => {
  it('predict reads rows with or without a label and a header, and refuses others', () => {
    const predict = (text: string) => {
      writeFileSync(join(folder, 'rows.csv'), text);
      return run('predict', 'disc-table.safetensors', 'rows.csv', '--json');
    };
    const scores = (text: string) => JSON.parse(predict(text).out).map(({ scores }: { scores: number[] }) => scores);
    const bare = scores('0.1,0.2,red\n0.9,-0.8,green\n');
    expect(scores('x,y,paint\n0.1,0.2,red\n0.9,-0.8,green\n')).toEqual(bare);
    expect(scores('x,y,paint,where\n0.1,0.2,red,inside\n0.9,-0.8,green,?\n')).toEqual(bare);
    expect(predict('0.1,0.2\n').err).toMatch(
      /DataError: rows\.csv: expected a header with the columns 'x', 'y', 'paint', or rows of these 3 alone.*got rows of 2/,
    );
    expect(predict('0.1,red,red\n').err).toMatch(/expected a number in column '\w+', got 'red' in row 1/);
  });

  it('refuses a picture for a model of tables, and data of other classes', () => {
    refuses(
      /DataError: predict: expected CSV files, as disc-table\.safetensors is a model of tables; got x\.png/,
      'predict',
      'disc-table.safetensors',
      'x.png',
    );
    mkdirSync(join(folder, 'others'));
    const text = 'x,y,paint,where\n1,2,red,here\n2,3,green,there\n';
    writeFileSync(join(folder, 'others/train.csv'), text);
    writeFileSync(join(folder, 'others/test.csv'), text);
    const message =
      /DataError: test\.csv: expected a label of the model \(inside, outside\) in row 1, column 4; got 'here'/;
    refuses(message, 'eval', 'disc-table.safetensors', '--data-dir', 'others');
    writeFileSync(join(folder, 'strange.csv'), 'x,y,z,where\n1,2,3,here\n');
    refuses(
      /strange\.csv: expected the columns of the model.*got no column 'paint'/,
      'predict',
      'disc-table.safetensors',
      'strange.csv',
    );
    refuses(/expected --data-dir FOLDER with --label, got bundled data/, 'train', '--label', 'x');
  });
});

describe('pictures', () => {
  it('train, eval and predict by the names of folders, bright pictures as they are', () => {
    for (const name of ['day', 'night']) {
      mkdirSync(join(folder, 'sky', name), { recursive: true });
      for (let i = 0; i < 20; i++) {
        const data = Uint8Array.from(
          { length: 4 * 3 * 3 },
          (_, at) => (name === 'day' ? 200 : 20) + ((at * (i + 3)) % 40),
        );
        writeFileSync(join(folder, 'sky', name, `${i}.png`), encode({ width: 4, height: 3, channels: 3, data }));
      }
    }
    const train = ['train', '--data-dir', 'sky', '--units', '16', '--epochs', '20', '--batch', '8', '--rate', '0.05'];
    const { code, err } = run(...train, '--out', 'sky.safetensors');
    expect(code, err).toBe(0);
    expect(err).toMatch(/40 pictures of 4 x 3, in colour, 2 classes \(day, night\)/);
    expect(classesOf(readModel(readFileSync(join(folder, 'sky.safetensors'))))).toEqual(['day', 'night']);
    expect(JSON.parse(run('eval', 'sky.safetensors', '--data-dir', 'sky', '--json').out).balancedAccuracy).toBe(1);
    const { out } = run('predict', 'sky.safetensors', 'sky/night/1.png', 'sky/day/1.png', '--json');
    expect(JSON.parse(out)).toMatchObject([{ name: 'night', class: 1 }, { name: 'day' }]);
    refuses(
      /DataError: disc-table: expected the classes of sky.safetensors/,
      'eval',
      'sky.safetensors',
      '--data-dir',
      'disc-table',
    );
  });

  it('train, eval and predict JPEG and PNG files of mixed sizes, turned upright', async () => {
    // Light comes from above by day and from below by night; a third of the pictures lies on its side or its head.
    const directory = join(folder, 'light');
    const stored: string[] = [];
    for (const name of ['day', 'night']) {
      mkdirSync(join(directory, name), { recursive: true });
      for (let i = 0; i < 20; i++) {
        const [width, height] = [10 + (i % 5), 8 + (i % 7)];
        const upright = (x: number, y: number): [number, number, number] => {
          const light = 2 * y < height === (name === 'day') ? 200 : 60;
          return [light, light - 10, light + ((x + i) % 4)];
        };
        const path = join(directory, name, `${i}.${i % 4 ? 'jpg' : 'png'}`);
        if (i % 4 === 0) {
          const data = Uint8Array.from({ length: 3 * width * height }, (_, at) => {
            const pixel = Math.floor(at / 3);
            return upright(pixel % width, Math.floor(pixel / width))[at % 3]!;
          });
          writeFileSync(path, encode({ width, height, channels: 3, data }));
        } else if (i % 4 === 1) {
          writeFileSync(path, await makeJpeg(width, height, upright));
        } else {
          stored.push(path);
          const [orientation, file] =
            i % 4 === 2
              ? [3, await makeJpeg(width, height, (x, y) => upright(width - 1 - x, height - 1 - y))]
              : [6, await makeJpeg(height, width, (x, y) => upright(width - 1 - y, x), { progressive: false })];
          writeFileSync(path, withSegments(file, exifSegment(orientation)));
        }
      }
    }
    const options = ['--units', '16', '--epochs', '20', '--batch', '8', '--rate', '0.05', '--size', '6x8'];
    const { code, err } = run('train', '--data-dir', 'light', ...options, '--out', 'light.safetensors');
    expect(code, err).toBe(0);
    expect(err).toMatch(/40 pictures of 10 x 8 to .* \(width x height\), 40 of them resized to 8 x 6 .*in colour/);
    const evaluated = JSON.parse(run('eval', 'light.safetensors', '--data-dir', 'light', '--json').out);
    expect(evaluated.balancedAccuracy).toBe(1);
    const predicted = JSON.parse(run('predict', 'light.safetensors', ...stored, '--json').out);
    expect(predicted.map(({ name }: { name: string }) => name)).toEqual(
      stored.map((path) => (path.includes('night') ? 'night' : 'day')),
    );
    refuses(/expected pictures with --size, got CSV/, 'train', '--data-dir', 'disc-table', '--size', '4x4');
    const wrong = run('train', '--data-dir', 'light', '--size', '4');
    expect(wrong.err).toMatch(/expected HEIGHTxWIDTH/);
    expect(wrong.code).toBe(2);
  });
});
