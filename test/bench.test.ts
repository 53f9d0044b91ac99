/** The bench's outputs and its arithmetic: statistics, verification, rows, findings, packing, the report. It runs no engine but the kernels of bench/stored. */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { main } from '../bench/cli.ts';
import { html } from '../bench/html.ts';
import { measure } from '../bench/measure.ts';
import { overview } from '../bench/overview.ts';
import { tables } from '../bench/report.ts';
import { buildRows, findings, type Measured, matches } from '../bench/rows.ts';
import { summarise } from '../bench/statistics.ts';
import { type Format, formats, halfBits, packWeights, storedMatmul } from '../bench/stored/stored_matmul.ts';
import { storedMatmulRows } from '../bench/stored/stored_matmul_rows.ts';
import { difference } from '../bench/verify.ts';
import { epilogue } from '../src/reference/epilogue.ts';
import { matmul } from '../src/reference/matmul.ts';
import { integerWeights } from '../src/weights/distributions.ts';
import { checkCases, numbers, sumError } from './kernels/harness.ts';

const measured = (engine: string, weights: string, samples: number[], rest: Partial<Measured> = {}): Measured => ({
  task: 'forward',
  engine,
  weights,
  peer: false,
  m: 1,
  k: 4,
  n: 4,
  samples,
  calls: 2,
  verified: true,
  ...rest,
});

describe('files that cannot be written', () => {
  it.each([
    [['--json', 'missing/rows.json'], /expected an existing folder missing, found none/],
    [['--report', import.meta.dirname], /expected a file, got a folder/],
    [['--isa', '--json', 'missing/rows.json'], /expected an existing folder missing, found none/],
    [['--isa', '--asm', '/dev/null/listings'], /expected \/dev\/null\/listings to be a folder/],
  ])('%j is refused by name before any work', async (options, message) => {
    const said = vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => said.mockRestore());
    expect(await main(options)).toBe(1);
    expect(said.mock.calls).toEqual([[expect.stringMatching(/^bench: WriteError: /)]]);
    expect(said.mock.calls[0]![0]).toMatch(message);
  });
});

describe('statistics', () => {
  it('minimum, median and spread of odd and even counts, whatever their order', () => {
    expect(summarise([3, 1, 2])).toEqual({ min: 1, median: 2, p90: 2.8, spread: 0.5 });
    expect(summarise([4, 1, 3, 2])).toEqual({ min: 1, median: 2.5, p90: 3.7, spread: 0.6 });
    expect(summarise([7])).toEqual({ min: 7, median: 7, p90: 7, spread: 0 });
    expect(() => summarise([])).toThrow('at least one sample');
  });
});

describe('verification', () => {
  const tolerance = { absolute: 0.1, relative: 0.01, reason: 'a test' };
  it('passes what is near and names what is not', () => {
    expect(difference([1, 2.05], [1, 2], tolerance)).toBeUndefined();
    expect(difference([1, 2.2], [1, 2], tolerance)).toContain('at 1 got 2.2, want 2');
    expect(difference([1], [1, 2], tolerance)).toContain('expected 2 numbers, got 1');
  });
  it.each([Number.NaN, Number.POSITIVE_INFINITY])('refuses %s', (bad) => {
    expect(difference([bad, 1], [1, 1], tolerance)).toContain('at 0');
  });
});

describe('measure', () => {
  it('takes contenders in turn, waits once a sample, and bounds a slow one to fewer samples, at least one', async () => {
    const order: string[] = [];
    let clock = 0;
    const now = vi.spyOn(performance, 'now').mockImplementation(() => clock);
    onTestFinished(() => now.mockRestore());
    const contender = (name: string, ms: number) => ({
      run: () => {
        clock += ms;
      },
      sync: async () => {
        order.push(name);
      },
    });
    const [fast, slow] = await measure([contender('fast', 1), contender('slow', 30)], {
      runs: 3,
      sampleMs: 5,
      budgetMs: 40,
    });
    expect(fast).toEqual({ ms: [1, 1, 1], calls: 5 });
    expect(slow).toEqual({ ms: [30], calls: 1 });
    expect(order.slice(-4)).toEqual(['fast', 'slow', 'fast', 'fast']);
  });
});

describe('rows', () => {
  const rows = buildRows(
    [
      measured('weightless', 'binary', [2, 4], { bytes: 4e6, macs: 8e6 }),
      measured('fast peer', 'f32', [3, 5], { peer: true }),
      measured('slow peer', 'f32', [9], { peer: true }),
      measured('wrong peer', 'f32', [1], { peer: true, verified: false, error: 'at 0 got 1, want 2' }),
      { task: 'forward', engine: 'missing', weights: 'f32', peer: true, m: 1, k: 4, n: 4, error: 'not installed' },
      measured('weightless', 'binary', [5], { m: 8 }),
    ],
    { gbps: 4, gmacs: 8 },
  );
  it('rates and shares are those of the minimum, ratios those to the best verified peer of the same shape', () => {
    expect(rows[0]).toMatchObject({ ms: { min: 2, median: 3 }, samples: [2, 4], gbps: 2, gmacs: 4, ratio: 1.5 });
    expect(rows[0]!.share).toEqual({ copy: 0.5, fma: 0.5 });
    expect(rows[1]!.ratio).toBe(1);
    expect(rows[2]!.ratio).toBeCloseTo(1 / 3);
    expect(rows[4]).toMatchObject({ error: 'not installed' });
    expect(rows[4]).not.toHaveProperty('ms');
    expect(rows[5]).not.toHaveProperty('ratio');
  });
  it('a filter needs all its words somewhere in task, engine, weights or shape', () => {
    expect(matches('forward 1x4x4 BINARY', rows[0]!)).toBe(true);
    expect(matches('training', rows[0]!)).toBe(false);
    expect(matches('forward 1x4x4|8x4x4 binary|normal', rows[0]!)).toBe(true);
    expect(matches('forward uniform|normal', rows[0]!)).toBe(false);
    expect(matches(undefined, rows[0]!)).toBe(true);
  });
  it('findings say which of reading and regenerating wins', () => {
    const made = buildRows([
      measured('weightless', 'normal', [4]),
      measured('weightless', 'binary', [2]),
      measured('weightless', 'normal', [4, 6], { m: 8 }),
      measured('stored', 'int8', [5], { m: 8 }),
      measured('stored', 'int8', [2]),
      measured('stored', 'f32', [8]),
      measured('stored', '1-bit', [3]),
    ]);
    expect(findings(made)).toEqual([
      'forward 1x4x4: reading int8 beats regenerating normal, 2.00 times faster (2.00 and 4.00 ms)',
      'forward 1x4x4: regenerating binary beats reading 1-bit, 1.50 times faster (3.00 and 2.00 ms)',
      'forward 8x4x4: reading int8 and regenerating normal are equally fast: their samples overlap (5.00 and 4.00 ms)',
    ]);
  });
  it('the overview has a line an engine, a column a shape, and no figure for a wrong result', () => {
    const training = { task: 'training half', m: 128, k: 784, n: 1024 };
    const made = buildRows([
      measured('weightless', 'binary', [2, 4]),
      measured('weightless', 'binary', [5], { m: 8 }),
      measured('jax-js', 'f32', [3], { peer: true }),
      measured('jax-js', 'f32', [7], { m: 8, peer: true, verified: false }),
      measured('stored', 'int8', [12.34], { m: 8 }),
      measured('weightless', 'normal', [70], training),
    ]);
    expect(overview(made).split('\n')).toEqual([
      '| minimum ms | 1 x 4 x 4 | 8 x 4 x 4 |',
      '| --- | --- | --- |',
      '| weightless `binary` | 2.00 | 5.00 |',
      '| jax-js 0.1.25, stored f32 | 3.00 | wrong |',
      '| our kernels, stored int8 |  | 12.3 |',
      '',
      '| minimum ms | training half 784-1024, batch 128 |',
      '| --- | --- |',
      '| weightless `normal` | 70.0 |',
    ]);
    expect(overview([])).toBe('');
  });
  it('the table and the page hold figures and errors; the page closes no script early', () => {
    const text = tables(rows);
    expect(text).toContain('forward 1x4x4');
    expect(text).toContain('FALSE');
    expect(text).toContain('missing f32: not installed');
    const page = html({ environment: { adapter: '<x>' }, rows, findings: [] }, 'const s = "</script>";');
    expect(page).toContain('&lt;x&gt;');
    expect(page).toContain('not installed');
    expect(page.match(/<\/script>/g)).toHaveLength(2);
    expect(html({ environment: {}, rows, findings: [] })).not.toContain('<canvas');
  });
});

describe('stored weights', () => {
  it('f16 bits of integers, fractions, the largest; what does not fit is refused', () => {
    expect([0, 1, -2, 127, 0.5, 65504].map(halfBits)).toEqual([0, 0x3c00, 0xc000, 0x57f0, 0x3800, 0x7bff]);
    expect(halfBits(2049)).toBe(halfBits(2048)); // ties go to even
    expect(halfBits(2051)).toBe(halfBits(2052));
    expect(() => halfBits(1e6)).toThrow('normal f16');
  });
  it.each([
    ['tile', storedMatmul],
    ['rows', storedMatmulRows],
  ] as const)('%s: every format, against the float64 twin', async (what, kernel) => {
    const shapes = [
      [1, 4, 1],
      [3, 36, 5],
      [9, 132, 131],
      [17, 64, 128],
    ] as const;
    const cases = shapes.flatMap(([m, k, n]) =>
      (Object.keys(formats) as Format[]).map((format) => {
        const distribution = format === '1-bit' ? 'binary' : 'normal';
        const w = integerWeights({ seed: 3, tensor: 1, distribution }, [0, k], [0, n]);
        const [x, u, b] = [numbers(m * k, 1), numbers(n, 2, 1 / 43), numbers(n, 3)];
        const z = matmul({ m, k, n, a: x, b: w });
        const sizes = matmul({ m, k, n, a: x.map(Math.abs), b: w.map(Math.abs) });
        const reason = 'f32 sums';
        return {
          what: `${what} ${format} ${m} ${k} ${n}`,
          inputs: { x, words: packWeights(format, w, k, n), u, b },
          outputs: {
            y: {
              want: epilogue({ m, n, z, u, b, activation: 'relu' }),
              tolerance: {
                absolute: sizes.map((size, i) => sumError(k + 2) * (Math.abs(u[i % n]!) * size + Math.abs(b[i % n]!))),
                reason,
              },
            },
          },
          dispatch: (buffers: Record<'x' | 'words' | 'u' | 'b' | 'y', GPUBuffer>) =>
            kernel({ m, k, n, format, activation: 'relu', ...buffers }),
        };
      }),
    );
    expect(await checkCases(cases as never)).toBe(16);
  });
  it('refuses fan-ins that are no multiple of 4', () => {
    const args = { m: 1, k: 6, n: 1, format: 'int8', activation: 'relu', x: 0, words: 0, u: 0, b: 0, y: 0 } as const;
    expect(() => storedMatmul(args)).toThrow('multiple of 4, got 6');
  });
});
