/** How machine code is counted, on assembly written for it; what the compiler makes of our kernels is the stage `isa` of `npm test`. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { blocksOf, dominators, loopsOf } from '../bench/isa/assembly.ts';
import { choices, chosenKernels } from '../bench/isa/choices.ts';
import { parseOutput } from '../bench/isa/compiler.ts';
import { hotLoop } from '../bench/isa/cost.ts';
import { execute } from '../bench/isa/execute.ts';
import { countingOf, kernels, keyOf, NOT_FOLLOWED } from '../bench/isa/kernels.ts';
import { differences, type IsaTable, nameOf, serialize, tables } from '../bench/isa/report.ts';
import { breakEven, GPU_CLASSES, roofline } from '../bench/isa/roofline.ts';
import { figuresOf, type IsaRow, peerJobs } from '../bench/isa/rows.ts';

/** A table is filled; then words of eight quads, a hash a word; then what is left of a row, an input a turn. */
const NEST = `
BB0:
	s_mov_b32 s0, 0                          ; be800380
BB1:
	s_cmp_ge_u32 s0, 64
	s_cbranch_scc1 BB3
BB2:
	v_cvt_f32_u32_e32 v1, v0
	ds_write_b32 v0, v1
	s_add_u32 s0, s0, 1
	s_branch BB1
BB3:
	s_mov_b32 s4, 0
BB4:
	s_cmp_ge_u32 s4, s9
	s_cbranch_scc1 BB8
BB5:
	v_mul_lo_u32 v2, v2, v3
	v_xor_b32_e32 v2, v2, v4
	s_mov_b32 s5, 0
BB6:
	s_buffer_load_dwordx4 s[8:11], s[12:15], s5
	v_fmac_f32_e32 v5, s8, v2
	v_fmac_f32_e32 v5, s9, v2
	v_mul_f32_e32 v6, s10, v2
	v_add_f32_e32 v5, v5, v6
	s_add_u32 s5, s5, 4
	s_cmp_lt_u32 s5, 32
	s_cbranch_scc1 BB6
BB7:
	s_add_u32 s4, s4, 1
	s_branch BB4
BB8:
	s_cmp_ge_u32 s4, s10
	s_cbranch_scc1 BB10
BB9:
	v_mul_lo_u32 v2, v2, v3
	v_fmac_f32_e32 v5, s8, v2
	s_add_u32 s4, s4, 1
	s_branch BB8
BB10:
	s_endpgm
`;

/** The hash stands in a branch that eight turns pass seven times. */
const BRANCH = `
BB0:
	s_mov_b32 s4, 0
BB1:
	s_cmp_ge_u32 s4, s9
	s_cbranch_scc1 BB4
	s_and_b32 s5, s4, 28
	s_cmp_eq_i32 s5, 0
	s_cbranch_scc0 BB3
BB2:
	v_mul_lo_u32 v2, v2, v3
	v_mul_lo_u32 v2, v2, v4
BB3:
	buffer_load_dword v6, v7, s[12:15], 0 offen
	v_dot4_i32_i8 v5, v6, v2, v5
	s_add_u32 s4, s4, 4
	s_branch BB1
BB4:
	s_endpgm
`;

const run = (assembly: string) => {
  const blocks = blocksOf(assembly);
  const loops = loopsOf(blocks, dominators(blocks));
  return { loops, executed: execute(blocks, loops) };
};

describe('execution', () => {
  it('finds loops with their nesting, and whether constants bound them', () => {
    const { loops, executed } = run(NEST);
    const found = loops.map((loop) => [
      loop.outer?.head,
      executed.loops.get(loop)!.bounded,
      executed.loops.get(loop)!.visits[loop.head],
    ]);
    const word = loops.find(({ inner }) => inner.length)!;
    // An inner loop's head is passed eight times in a turn of the outer one.
    expect(executed.loops.get(word)!.visits[word.inner[0]!.head]).toBe(8);
    expect(found).toEqual(
      expect.arrayContaining([
        [undefined, true, 1],
        [undefined, false, 1],
        [word.head, true, 1],
        [undefined, false, 1],
      ]),
    );
  });
  it('turns loops as often as they are counted, whichever way they are tested', () => {
    const turns = (start: string, test: string, step: string) => {
      const code = `BB0:\n${start}\nBB1:\n${test}\nBB2:\nv_nop\n${step}\ns_branch BB1\nBB3:\ns_endpgm`;
      const { loops, executed } = run(code);
      return executed.loops.get(loops[0]!)!.bounded ? executed.visits[2] : undefined;
    };
    expect(turns('s_movk_i32 s3, 0x10', 's_cmp_eq_i32 s3, 0\ns_cbranch_scc1 BB3', 's_add_u32 s3, s3, -1')).toBe(16);
    expect(turns('s_mov_b32 s3, 0', 's_cmpk_ge_i32 s3, 0xc4\ns_cbranch_scc1 BB3', 's_addk_i32 s3, 0x2')).toBe(98);
    expect(turns('s_mov_b64 s[2:3], 5', 's_cmp_gt_u32 9, s2\ns_cbranch_scc0 BB3', 's_add_i32 s2, 1, s2')).toBe(4);
    const spilled = 's_mov_b32 s3, 0\nv_writelane_b32 v9, s3, 2';
    const step = 'v_readlane_b32 s3, v9, 2\ns_add_u32 s3, s3, 1\nv_writelane_b32 v9, s3, 2';
    expect(turns(spilled, 's_cmp_lg_u32 s3, 7\ns_cbranch_scc0 BB3', step)).toBe(7);
    expect(turns('s_mov_b32 s3, s7', 's_cmp_ge_u32 s3, 9\ns_cbranch_scc1 BB3', 's_add_u32 s3, s3, 1')).toBeUndefined();
    expect(turns('s_mov_b32 s3, 0', 's_cmp_ge_u32 s3, s7\ns_cbranch_scc1 BB3', 's_add_u32 s3, s3, 1')).toBeUndefined();
    const loaded = 's_load_dwordx2 s[2:3], s[0:1], null\ns_add_u32 s3, s3, 1';
    expect(turns('s_mov_b32 s3, 0', 's_cmp_ge_u32 s3, 9\ns_cbranch_scc1 BB3', loaded)).toBeUndefined();
    const forever = () => turns('s_mov_b32 s3, 0', 's_cmp_eq_u32 s3, 1\ns_cbranch_scc1 BB3', 's_add_u32 s3, s3, 2');
    expect(forever).toThrow('it keeps looping');
  });
});

describe('the hot loop', () => {
  it('is the one with the multiplications, its inner loop counted as often as it turns', () => {
    // Of a word: the hash, 4 + 1 cycles, and eight quads of 4 instructions and 3 multiplications each.
    const hot = hotLoop(NEST)!;
    expect(hot).toMatchObject({ cycles: 5 + 8 * 4, macs: 24, quarter: 1, smem: 8, lds: 0, nested: false });
    expect(hot.innermost).toBeCloseTo(4 / 3);
  });
  it('is flagged where it lies in a loop that cannot be counted', () => {
    const unbounded = NEST.replace('s_cmp_lt_u32 s5, 32', 's_cmp_lt_u32 s5, s7');
    expect(hotLoop(unbounded)).toMatchObject({ cycles: 4, macs: 3, nested: true });
  });
  it('counts what a branch leaves out as often as it runs, or always where that is not known', () => {
    expect(hotLoop(BRANCH)).toMatchObject({ cycles: 2, macs: 4, quarter: 0.25, vmem: 1 });
    expect(hotLoop(BRANCH.replace('s_and_b32 s5, s4, 28', 's_load_dword s5, s[0:1], null'))).toMatchObject({
      cycles: 9,
      macs: 4,
      quarter: 2,
    });
  });
  it('follows from its cycles where the kernel states its MACs; no loop is reported where there is none', () => {
    const sums = NEST.replaceAll(/v_(fmac|mul)_f32/g, 'v_add_f32');
    expect(hotLoop(sums)).toBeUndefined();
    expect(hotLoop(sums, { macs: 32, why: '' })).toMatchObject({ cycles: 37, macs: 32 });
  });
  it('a whole invocation needs the turns of all its loops', () => {
    const straight = 'BB0:\nv_add_f32_e32 v0, v1, v2\nv_lshrrev_b64 v[4:5], 0, 0\nv_rcp_f32_e32 v0, v1\ns_endpgm';
    expect(hotLoop(straight, { whole: true, macs: 8, why: '' })).toMatchObject({
      cycles: 1 + 2 + 4,
      macs: 8,
      quarter: 1,
    });
    expect(() => hotLoop(NEST, { whole: true, macs: 8, why: '' })).toThrow('a constant number of times');
  });
  it('reads both halves of a dual-issued instruction, and scalar loads that the disassembler does not', () => {
    const loop = (body: string) => `BB0:\n${body}\ns_cbranch_scc1 BB0\nBB1:\ns_endpgm`;
    const dual = 'v_dual_fmac_f32 v1, v2, v3 :: v_dual_mul_f32 v4, v5, v6 ; c8000000';
    expect(hotLoop(loop(dual))).toMatchObject({ valu: 1, cycles: 1, macs: 2 });
    const invalid = '(invalid instruction) ; f4281a16\nv_fmac_f32_e32 v0, s0, v0 ; 56000000\nv_fmac_f32_e32 v0, s0, v0';
    expect(hotLoop(loop(invalid))).toMatchObject({ valu: 1, macs: 1, smem: 1 });
    expect(() => hotLoop(loop('(invalid instruction) ; d5690050'))).toThrow("the word 'd5690050'");
  });
});

describe('rows', () => {
  const statistics =
    'Subgroup size: 64\nVGPRs: 24\nSpilled VGPRs: 2\nSpilled SGPRs: 0\nScratch size: 16\nLDS size: 0\nSubgroups per SIMD: 8\nInstructions: 20';
  const named = {
    engine: 'weightless',
    kernel: 'k',
    weights: 'binary',
    constants: { ROWS: 8, EPILOGUE: 2 },
    gpu: 'NAVI21',
  };
  const compiled = (assembly: string) => parseOutput(`${statistics}\n\n${assembly}`);
  const checked = compiled(BRANCH.replace('buffer_load', 'v_min_u32 v7, v8, v9\nbuffer_load'));
  const row = figuresOf(named, compiled(BRANCH), checked, { macs: 4, why: 'a test' });
  const table = (...rows: (typeof row)[]) => ({ compiler: 'Mesa 1', rows });

  it('hold the statistics of the driver and figures for a MAC', () => {
    expect(row).toMatchObject({
      vgprs: 24,
      spilled: 2,
      scratch: 16,
      waves: 8,
      cyclesPerMac: 0.5,
      vmemPerMac: 0.25,
      why: 'a test',
    });
    expect(row.checked).toEqual({ vgprs: 24, spilled: 2, cyclesPerMac: 0.75 });
    expect(nameOf(row)).toBe('k binary ROWS=8');
    expect(tables([row, { ...named, error: 'broken' }])).toMatch(/0\.500[\s\S]*k binary ROWS=8: broken/);
    expect(() => figuresOf(named, parseOutput('VGPRs: 1\n\n'), checked)).toThrow("to report 'Spilled VGPRs'");
  });
  it('a table names every figure that changed, what is new, and what is gone', () => {
    const read = JSON.parse(serialize(table(row)));
    expect(differences(read, table(row))).toEqual([]);
    expect(differences(read, table({ ...row, cyclesPerMac: 0.51 }))).toEqual([
      'NAVI21 weightless k binary ROWS=8: cyclesPerMac was 0.5, is 0.51',
    ]);
    const other = { ...row, constants: { ROWS: 16, EPILOGUE: 2 } };
    expect(differences(read, table(other))).toEqual([
      'NAVI21 weightless k binary ROWS=16: not in the table',
      'NAVI21 weightless k binary ROWS=8: in the table, but no kernel now',
    ]);
  });
  it('peers: shapes that compile to the same are one row', () => {
    const kernel = { engine: 'peer', label: 'Gemm', code: 'x', entryPoint: 'main', constants: {} };
    const layer = (m: number) => ({ kind: 'forward', m, k: 4, n: 4 }) as const;
    const jobs = peerJobs([
      { ...kernel, task: layer(1) },
      { ...kernel, task: layer(8) },
      { ...kernel, task: layer(8), code: 'y', label: '_i' },
    ]);
    expect(jobs.map(({ kernel, shapes }) => [kernel, shapes])).toEqual([
      ['Gemm', ['1x4x4', '8x4x4']],
      ['', ['8x4x4']],
    ]);
  });
});

describe('the list', () => {
  it('has every kernel of kernels/, or says that it computes no product', () => {
    const files = readdirSync('kernels').filter((name) => name.endsWith('.wgsl'));
    const stems = files.map((name) => name.slice(0, -5)).sort();
    const listed = kernels.filter(({ engine }) => engine === 'weightless').map(({ dispatch }) => dispatch.source.name);
    const noProduct = stems.filter((stem) =>
      /^\/\/ No product: memory-bound\.$/m.test(readFileSync(`kernels/${stem}.wgsl`, 'utf8')),
    );
    expect(
      [...new Set([...listed, ...noProduct, ...NOT_FOLLOWED])].sort(),
      'a new kernel is a line of bench/isa/kernels.ts, or says in its header that it computes no product',
    ).toEqual(stems);
    expect(listed.filter((stem) => noProduct.includes(stem))).toEqual([]);
  });
  it('has no doubles, and a reason for every count that is stated', () => {
    expect(new Set(kernels.map(keyOf)).size).toBe(kernels.length);
    for (const counting of kernels.map(countingOf)) if (counting) expect(counting.why).toMatch(/\w{3}/);
  });
});

it('a lane that makes weights is as fast as memory where both take as long, and the table says how much faster', () => {
  const gpu = { name: 'a chip', laneCycles: 1, gbps: 100 };
  expect(breakEven(gpu, 4)).toBe(40); // 25 weights a nanosecond are read, 1000 cycles of lanes are there for them
  expect(breakEven(gpu, 1 / 8)).toBe(1.25);
  const row = {
    gpu: 'NAVI21',
    kernel: 'random_matmul_rows',
    weights: 'normal',
    constants: { SLICES: 8 },
    cyclesPerMac: 5,
  };
  const text = roofline([row as unknown as IsaRow], 'NAVI21');
  const [iris] = GPU_CLASSES;
  expect(text).toContain(`${(breakEven(iris!, 4) / 5).toPrecision(3)} x`);
  expect(roofline([row as unknown as IsaRow], 'GFX1100')).toBe('');
});

it('the GPU table chooses no kernel slower than what peers do: RDNA2, the shapes of the bench', () => {
  const golden = JSON.parse(readFileSync('test/golden/isa.json', 'utf8')) as IsaTable;
  const chosen = chosenKernels(golden.rows, 'NAVI21').filter(({ weights }) => ['normal', 'binary'].includes(weights));
  expect(chosen).toHaveLength(24);
  // TensorFlow.js takes 1.24 from 64 rows on (docs/isa.md).
  const most = (m: number) => (m >= 64 ? 1.15 : m === 8 ? 1.6 : 6.5);
  for (const { m, cyclesPerMac, ...rest } of chosen) {
    expect(cyclesPerMac, JSON.stringify({ m, ...rest })).toBeLessThanOrEqual(most(m));
  }
  expect(choices(golden.rows, 'NAVI21')).toMatch(/64 x 784 x 1024 +│ split 32x3 1\.14/);
  expect(choices([], 'NAVI21')).toBe('');
  for (const row of golden.rows) {
    if (row.gpu === 'NAVI21' && /random_matmul_(split|wide)/.test(row.kernel))
      expect(row).toMatchObject({ spilled: 0, scratch: 0 });
  }
});
