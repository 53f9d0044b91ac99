/**
 * Determines how often each block of a program runs. It follows a wave from the start and tracks its scalar registers.
 * Branches that known registers decide are followed. An undecided branch that leaves a loop (because of the number of
 * inputs, for example) is taken after TURNS iterations. Any other undecided branch is not taken.
 */
import type { Block, Loop } from './assembly.ts';
import { Scalars } from './scalar.ts';

/** Number of iterations of an undecided loop: a multiple of every period at which a kernel does something special. */
const TURNS = 64;
const MOST_BLOCKS = 1e6;

export interface LoopRun {
  /** How often each block runs per iteration, on average, counting all iterations of inner loops. */
  readonly visits: Float64Array;
  /** Whether the code determines the number of iterations. */
  bounded: boolean;
}

export interface Execution {
  /** How often each block runs. */
  readonly visits: Float64Array;
  /** The loops that the wave reaches. */
  readonly loops: ReadonlyMap<Loop, LoopRun>;
}

interface Active {
  readonly loop: Loop;
  turns: number;
  /** Since the loop's head was last passed. */
  readonly turn: Float64Array;
}

export function execute(blocks: readonly Block[], loops: readonly Loop[]): Execution {
  const none = () => new Float64Array(blocks.length);
  const heads = new Map(loops.map((loop) => [loop.head, loop]));
  const sums = new Map<Loop, { visits: Float64Array; turns: number; bounded: boolean; last: Float64Array }>();
  const visits = none();
  const active: Active[] = [];
  const scalars = new Scalars();

  const enter = (at: number) => {
    while (active.length && !active.at(-1)!.loop.blocks.has(at)) active.pop();
    const loop = heads.get(at);
    const top = active.at(-1);
    if (loop && top?.loop === loop) {
      const sum = sums.get(loop)!;
      sum.turns++;
      top.turns++;
      for (let i = 0; i < blocks.length; i++) sum.visits[i]! += top.turn[i]!;
      top.turn.fill(0);
    } else if (loop) active.push({ loop, turns: 0, turn: none() });
    if (loop && !sums.has(loop)) sums.set(loop, { visits: none(), turns: 0, bounded: true, last: active.at(-1)!.turn });
    visits[at]!++;
    for (const one of active) one.turn[at]!++;
  };

  const follow = (at: number): number | undefined => {
    const { code, next } = blocks[at]!;
    for (const one of code) scalars.run(one);
    const [falls, goes] = next;
    if (goes === undefined) return falls;
    const asks = /^s_cbranch_scc([01])$/.exec(code.at(-1)!.op)?.[1];
    if (asks && scalars.scc !== undefined) return scalars.scc === (asks === '1') ? goes : falls;
    const top = active.at(-1);
    const stays = top ? next.filter((one) => top.loop.blocks.has(one)) : [];
    if (stays.length !== 1) return falls;
    sums.get(top!.loop)!.bounded = false;
    return top!.turns < TURNS ? stays[0] : next.find((one) => one !== stays[0]);
  };

  let at: number | undefined = 0;
  for (let steps = 0; at !== undefined; steps++) {
    if (steps > MOST_BLOCKS)
      throw new Error(`expected a kernel that ends within ${MOST_BLOCKS} blocks; it keeps looping`);
    enter(at);
    at = follow(at);
  }
  const runs = [...sums].map(([loop, { visits, turns, bounded, last }]): [Loop, LoopRun] => [
    loop,
    // A loop that never returned to its head ran once.
    { visits: turns ? visits.map((count) => count / turns) : last, bounded },
  ]);
  return { visits, loops: new Map(runs) };
}
