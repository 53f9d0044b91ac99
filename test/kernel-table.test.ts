/** The table of kernels: every problem finds one, and what `npm run bench -- --tune` makes of times. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CELL_ROWS, cellsOf, retune, rulesOf, sections, type Timed } from '../bench/tune/cells.ts';
import { replaceSection, section } from '../bench/tune/main.ts';
import { type Choice, candidates, chooseForward } from '../src/gpu/choose/choose.ts';
import { type ForwardKernelName, forwardKernels } from '../src/gpu/choose/forward-kernels.ts';
import { type DistributionName, distributionNames } from '../src/weights/distributions.ts';

const kinds = ['software', 'gpu'] as const;
const size = fc.integer({ min: 1, max: 20_000 });

describe('the table', () => {
  it('has a kernel for every problem, one that serves it, in order where that is asked', () => {
    const choice = fc.record({ software: fc.boolean(), inOrder: fc.boolean() });
    const problem = fc.record({ m: size, k: size, n: size, weights: fc.constantFrom(...distributionNames) });
    fc.assert(
      fc.property(problem, choice, (problem, choice: Choice) => {
        const kernel = chooseForward(problem, choice);
        expect(kernel.weights).toContain(problem.weights);
        expect(kernel.inOrder || !choice.inOrder).toBe(true);
      }),
      { numRuns: 500, seed: 3 },
    );
  });

  it.each(kinds)('%s: rules name kernels, for named weights those that serve them', (kind) => {
    for (const [, , weights, ...names] of sections[kind]) {
      expect(names.length).toBeGreaterThan(0);
      for (const name of names) {
        if (weights !== 'any') expect(forwardKernels[name].weights).toContain(weights);
      }
    }
  });
});

/** A time for every kernel on every layer of every cell. */
const times = (ms: (weights: DistributionName, kernel: ForwardKernelName, m: number, n: number) => number): Timed[] =>
  cellsOf(sections.software).flatMap(({ weights, m, n }) =>
    candidates({ weights, m, n, k: 1 }, {}).flatMap((kernel) =>
      (n === 1024 ? [784, 1024] : [1024]).map((k) => ({
        weights,
        kernel,
        m,
        k,
        n,
        samples: [1, 1.5, 1, 1.2].map((noise) => noise * ms(weights, kernel, m, n)),
      })),
    ),
  );

describe('tuning', () => {
  it('keeps a table that is as fast as any, as it stands, and what was not measured', () => {
    for (const kind of kinds) {
      const cells = cellsOf(sections[kind]);
      expect(retune(cells, []).changes).toEqual([]);
      expect(
        retune(
          cells,
          times(() => 1),
        ).cells,
      ).toEqual(cells);
    }
    const rules = rulesOf(cellsOf(sections.software));
    expect(rulesOf(cellsOf(rules))).toEqual(rules);
    expect(rules.length).toBeLessThanOrEqual(sections.software.length);
  });

  it('replaces a kernel by one that is faster by more than the spread, in order too, and says by how much', () => {
    const cells = cellsOf([[1, 0, 'any', 'rows']]);
    const faster = (ms: number) =>
      retune(
        cells,
        times((weights, kernel, m) =>
          weights === 'binary' && m === 8 && kernel === 'sign sums' ? ms : kernel === 'tile 8x4' && m === 8 ? 0.8 : 1,
        ),
      );
    const { changes } = faster(0.5);
    expect(changes.filter(({ n, weights }) => n === 128 && weights === 'binary')).toEqual([
      { weights: 'binary', m: 8, n: 128, from: 'rows', to: 'sign sums', faster: 2 },
      { weights: 'binary', m: 8, n: 128, from: 'rows', to: 'tile 8x4', faster: 1 / 0.8 },
    ]);
    expect(changes.filter(({ n, weights }) => n === 128 && weights === 'normal')).toHaveLength(1);
    expect(faster(0.98).changes.every(({ to }) => to === 'tile 8x4')).toBe(true);
    const rules = rulesOf(faster(0.5).cells);
    expect(rules).toEqual([
      [9, 0, 'any', 'rows'],
      [5, 0, 'binary', 'sign sums', 'tile 8x4'],
      [5, 0, 'any', 'tile 8x4'],
      [1, 0, 'any', 'rows'],
    ]);
  });

  it('is not moved by one lucky sample, nor by two rounds', () => {
    const cells = cellsOf([[1, 0, 'any', 'rows']]);
    const with8x4 = (samples: number[]) =>
      times(() => 1).map((one) =>
        one.kernel === 'tile 8x4' ? { ...one, samples } : { ...one, samples: [1, 1, 1, 1] },
      );
    expect(retune(cells, with8x4([1.1, 0.1, 1.1, 1.1])).changes).toEqual([]);
    expect(retune(cells, with8x4([0.9, 0.9])).changes.some(({ n }) => n !== 1024)).toBe(false);
    expect(retune(cells, with8x4([0.9, 0.9, 0.9, 1])).changes.length).toBeGreaterThan(0);
  });

  it('splits by outputs where units decide', () => {
    const { cells } = retune(
      cellsOf([[1, 0, 'any', 'rows']]),
      times((_, kernel, m, n) => (kernel === 'tile 8x4' && m === 256 && n >= 1024 ? 0.5 : 1)),
    );
    expect(rulesOf(cells)).toEqual([
      [65, Math.round(256 * Math.sqrt(128 * 1024)), 'any', 'tile 8x4'],
      [65, 0, 'any', 'rows'],
      [1, 0, 'any', 'rows'],
    ]);
  });

  it('leaves a kernel out that was not timed on every layer of its cell', () => {
    const timed = times((_, kernel) => (kernel === 'tile 8x4' ? 0.5 : 1)).filter(
      ({ kernel, k }) => kernel !== 'tile 8x4' || k === 1024,
    );
    const { changes } = retune(cellsOf(sections.software), timed);
    expect(changes.some(({ n }) => n === 1024)).toBe(false);
    expect(changes.some(({ n }) => n === 4096)).toBe(true);
  });

  it('makes rules that give every cell its kernels back (generated times)', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 30 }), fc.integer({ min: 1, max: 3 }), (seed, kinds) => {
        const hash = (text: string) =>
          [...text].reduce((h, c) => (Math.imul(h ^ c.charCodeAt(0), 0x01000193) >>> 0) % 2 ** 30, seed);
        const timed = times((weights, kernel, m, n) => {
          const parts = [kernel, ...[weights, `${m}`, `${n}`].slice(0, kinds)];
          return 1 + hash(parts.join()) / 2 ** 30;
        });
        const { cells } = retune(cellsOf(sections.gpu), timed);
        const rules = rulesOf(cells);
        expect(cellsOf(rules)).toEqual(cells);
        expect(rules.every(([rows]) => rows === 1 || CELL_ROWS.includes((rows - 1) as 1))).toBe(true);
      }),
      { numRuns: 100, seed: 5 },
    );
  });

  it('writes its own section of the file, and leaves the others alone', () => {
    const file = readFileSync(join(import.meta.dirname, '../src/gpu/choose/kernel-table.ts'), 'utf8');
    const made = replaceSection(file, 'software', section('software', 'an adapter', [[1, 0, 'any', 'rows']]));
    expect(made).toContain(
      '/** Measured on an adapter by `npm run bench -- --tune`. */\nexport const software: Rule[] = [[1,0,"any","rows"]];',
    );
    const gpu = (text: string) => text.slice(text.indexOf('/**', text.indexOf('export const software')));
    expect(gpu(made)).toBe(gpu(file));
    expect(() => replaceSection(file, 'npu', '')).toThrow(/'export const npu: Rule\[\] = /);
  });
});
