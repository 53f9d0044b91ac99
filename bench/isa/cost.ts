/**
 * The cost of one iteration of the hot loop, and the cost per multiply-accumulate (MAC).
 *
 * A vector instruction (VALU) takes a SIMD of RDNA one cycle for 32 lanes. A 64-bit instruction takes two; integer
 * multiplies and transcendental functions take four. These figures follow the cost model of Mesa's compiler
 * (src/amd/compiler/aco_statistics.cpp). A MAC is a float multiply with its addition, fused or separate, or one byte of
 * a dot product. For kernels that compute MACs in another way, kernels.ts states the number of MACs per iteration.
 *
 * The hot loop is the loop that does the most MACs per iteration. If no loop does any, it is the one with the most
 * cycles. Following the scalar registers (execute.ts) shows how often its inner loops and branches run.
 */
import { type Block, blocksOf, dominators, type Instruction, type Loop, loopsOf } from './assembly.ts';
import { execute } from './execute.ts';

/** Numbers of instructions by execution unit, and of MACs. */
export interface Cost {
  readonly valu: number;
  /** The instructions among `valu` that take four cycles. */
  readonly quarter: number;
  readonly cycles: number;
  readonly macs: number;
  readonly salu: number;
  readonly lds: number;
  readonly vmem: number;
  readonly smem: number;
  readonly barriers: number;
}

/** How to count a kernel whose instructions do not show its MACs. */
export interface Counting {
  /** MACs per iteration of the hot loop, or in the whole invocation. */
  readonly macs?: number;
  /** Counts the whole invocation, which has no hot loop. */
  readonly whole?: true;
  /** The reason. */
  readonly why: string;
}

export interface HotLoop extends Cost {
  /** Whether it lies in a loop with an unknown number of iterations. The rest of that loop is not counted. */
  readonly nested: boolean;
  /** For nested loops: cycles per MAC of the innermost loop alone. */
  readonly innermost?: number;
}

const NONE: Cost = { valu: 0, quarter: 0, cycles: 0, macs: 0, salu: 0, lds: 0, vmem: 0, smem: 0, barriers: 0 };
const KEYS = Object.keys(NONE) as (keyof Cost)[];
const plus = (a: Cost, b: Cost, times = 1): Cost =>
  Object.fromEntries(KEYS.map((key) => [key, a[key] + times * b[key]])) as unknown as Cost;

const QUARTER_RATE = /^v_(mul_(lo|hi)_[iu]32|mad_[iu]64_[iu]32|(exp|log|rcp|rcp_iflag|rsq|sqrt|sin|cos)_(f32|f16))$/;
const HALF_RATE = /^v_.*_([biu]64)$/;

/** Multiply-accumulates of a vector instruction. */
function macsOf(op: string): number {
  if (/^v_(dual_)?(fma|fmac|fmamk|fmaak|mad|mac|madmk|madak|fma_mix|mul)(_legacy)?_(f32|f16)$/.test(op)) return 1;
  if (/^v_(pk_(fma|fmac|mul)_f16|dot2c?_)/.test(op)) return 2;
  return /^v_dot4/.test(op) ? 4 : /^v_dot8/.test(op) ? 8 : 0;
}

function costOf({ op, dual }: Instruction): Cost {
  if (op === 's_barrier') return { ...NONE, barriers: 1 };
  if (/^s_(buffer_)?load/.test(op)) return { ...NONE, smem: 1 };
  if (op.startsWith('s_')) return { ...NONE, salu: 1 };
  if (op.startsWith('ds_')) return { ...NONE, lds: 1 };
  if (/^(buffer|tbuffer|global|flat|scratch|image)_/.test(op)) return { ...NONE, vmem: 1 };
  if (!op.startsWith('v_')) return NONE;
  const quarter = QUARTER_RATE.test(op) ? 1 : 0;
  const cycles = quarter ? 4 : HALF_RATE.test(op) ? 2 : 1;
  return { ...NONE, valu: 1, quarter, cycles, macs: macsOf(op) + (dual ? macsOf(dual) : 0) };
}

const blockCost = ({ code }: Block): Cost => code.map(costOf).reduce((sum, one) => plus(sum, one), NONE);

/** Counts a compiled shader. Undefined if no loop does a MAC and `counting` is absent. */
export function hotLoop(assembly: string, counting?: Counting): HotLoop | undefined {
  const blocks = blocksOf(assembly);
  const costs = blocks.map(blockCost);
  const { visits, loops } = execute(blocks, loopsOf(blocks, dominators(blocks)));
  const total = (counts: Float64Array) => costs.reduce((sum, cost, i) => plus(sum, cost, counts[i]), NONE);
  const stated = (cost: Cost) => ({ ...cost, macs: counting?.macs ?? cost.macs });

  if (counting?.whole) {
    if ([...loops.values()].some(({ bounded }) => !bounded)) {
      throw new Error('expected a kernel whose loops turn a constant number of times, to be counted as a whole');
    }
    return { ...stated(total(visits)), nested: false };
  }
  const turns = new Map([...loops].map(([loop, { visits }]) => [loop, total(visits)]));
  const heat = (loop: Loop) => (counting ? turns.get(loop)!.cycles : turns.get(loop)!.macs);
  const hottest = (among: readonly Loop[]) =>
    among.filter((loop) => turns.has(loop)).sort((a, b) => heat(b) - heat(a))[0];
  // Of a nest the outermost loop that holds none of unknown length.
  const countable = ({ inner }: Loop): boolean =>
    inner.every((loop) => (loops.get(loop)?.bounded ?? true) && countable(loop));
  const hot = hottest([...turns.keys()].filter((loop) => countable(loop) && !(loop.outer && countable(loop.outer))));
  const turn = hot && stated(turns.get(hot)!);
  if (!turn?.macs) return undefined;
  let deepest = hot!;
  for (let next = hottest(deepest.inner); next; next = hottest(deepest.inner)) deepest = next;
  const inner = deepest === hot || counting ? undefined : turns.get(deepest);
  return {
    ...turn,
    nested: hot!.outer !== undefined,
    ...(inner?.macs && { innermost: inner.cycles / inner.macs }),
  };
}
