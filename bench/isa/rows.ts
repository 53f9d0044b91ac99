/** Turns compiled shaders into the figures of the table. */

import { readSource } from '../../src/core/kernel-source.ts';
import { linkKernel, provideWeights } from '../../src/gpu/pipelines.ts';
import type { PeerKernel } from './capture.ts';
import type { Compiled, GpuCompiler, Shader } from './compiler.ts';
import { type Cost, type Counting, hotLoop } from './cost.ts';
import { countingOf, type Listed } from './kernels.ts';

/** A shader and the names of its row. */
export interface Job extends Shader {
  readonly engine: string;
  readonly kernel: string;
  readonly weights: string;
  /** Layers (rows x inputs x units) for which a peer compiled it. */
  readonly shapes?: readonly string[];
  readonly counting?: Counting;
}

interface Named {
  readonly engine: string;
  readonly kernel: string;
  readonly weights: string;
  readonly constants: Readonly<Record<string, number>>;
  readonly shapes?: readonly string[];
  readonly gpu: string;
}

export interface Figures extends Named {
  /** Registers per lane, and spilled ones: to memory (vector), or to lanes of a vector register (scalar). */
  readonly vgprs: number;
  readonly spilled: number;
  readonly spilledSgprs: number;
  /** Bytes of scratch memory per wave, and of LDS per workgroup. */
  readonly scratch: number;
  readonly lds: number;
  /** Maximum number of waves per SIMD, and lanes per wave. */
  readonly waves: number;
  readonly lanes: number;
  readonly instructions: number;
  /** VALU cycles per multiply-accumulate of the hot loop. */
  readonly cyclesPerMac?: number;
  readonly ldsPerMac?: number;
  readonly vmemPerMac?: number;
  readonly smemPerMac?: number;
  /**
   * The same with the bounds checks that a browser adds for arrays of a workgroup or an invocation. The driver checks
   * buffers.
   */
  readonly checked: Pick<Figures, 'vgprs' | 'spilled' | 'cyclesPerMac'>;
  /** One iteration of the hot loop. */
  readonly turn?: Cost;
  /** For nested loops: cycles per multiply-accumulate of the innermost loop alone. */
  readonly innermost?: number;
  /** The hot loop lies in a loop with an unknown number of iterations. */
  readonly nested?: true;
  /** Why the number of multiply-accumulates differs from what the instructions show. */
  readonly why?: string;
}

export type IsaRow = Figures | (Named & { /** Why there are no figures. */ readonly error: string });

export const ourJob = async (listed: Listed): Promise<Job> => {
  const { engine, weights, dispatch } = listed;
  const { constants = {} } = dispatch;
  const source = await readSource(dispatch.source);
  const counting = countingOf(listed);
  await provideWeights(dispatch.weights);
  const code = linkKernel(source, dispatch.weights);
  return { engine, kernel: source.name, weights, code, entryPoint: 'main', constants, ...(counting && { counting }) };
};

/** Jobs for the shaders that peers compiled, without duplicates. */
export function peerJobs(captured: readonly PeerKernel[]): Job[] {
  const jobs = new Map<string, Job & { shapes: string[] }>();
  for (const { engine, task, label, ...shader } of captured) {
    const shape = `${task.m}x${task.k}x${task.n}`;
    const key = JSON.stringify([engine, shader]);
    const known = jobs.get(key);
    if (known) known.shapes.push(shape);
    // A label of two letters is a minified class name.
    else jobs.set(key, { ...shader, engine, kernel: label.length > 2 ? label : '', weights: 'f32', shapes: [shape] });
  }
  return [...jobs.values()];
}

const rounded = (value: number) => Math.round(value * 1e4) / 1e4;

export function figuresOf(named: Named, compiled: Compiled, checked: Compiled, counting?: Counting): Figures {
  const { why, ...plain } = unchecked(named, compiled, counting);
  const { vgprs, spilled, cyclesPerMac } = unchecked(named, checked, counting);
  return { ...plain, checked: { vgprs, spilled, ...(cyclesPerMac && { cyclesPerMac }) }, ...(why && { why }) };
}

function unchecked(named: Named, { statistics, assembly }: Compiled, counting?: Counting): Omit<Figures, 'checked'> {
  const statistic = (name: string) => {
    const value = statistics[name];
    if (value === undefined)
      throw new Error(`expected the driver to report '${name}', got ${Object.keys(statistics).join(', ')}`);
    return value;
  };
  const row = {
    ...named,
    vgprs: statistic('VGPRs'),
    spilled: statistic('Spilled VGPRs'),
    spilledSgprs: statistic('Spilled SGPRs'),
    scratch: statistic('Scratch size'),
    lds: statistic('LDS size'),
    waves: statistic('Subgroups per SIMD'),
    lanes: statistic('Subgroup size'),
    instructions: statistic('Instructions'),
  };
  const hot = hotLoop(assembly, counting);
  if (!hot) return row;
  const { nested, innermost, ...turn } = hot;
  return {
    ...row,
    cyclesPerMac: rounded(turn.cycles / turn.macs),
    ldsPerMac: rounded(turn.lds / turn.macs),
    vmemPerMac: rounded(turn.vmem / turn.macs),
    smemPerMac: rounded(turn.smem / turn.macs),
    turn,
    ...(innermost && { innermost: rounded(innermost) }),
    ...(nested && { nested }),
    ...(counting && { why: counting.why }),
  };
}

/** Compiles the jobs one after another. A shader that does not compile becomes a row with its error. */
export async function compileRows(
  jobs: readonly Job[],
  gpu: string,
  compilers: { readonly plain: GpuCompiler; readonly checked: GpuCompiler },
  onRow: (row: IsaRow, compiled?: Compiled) => void,
): Promise<IsaRow[]> {
  const rows: IsaRow[] = [];
  for (const { code, entryPoint, counting, ...rest } of jobs) {
    const named = { ...rest, gpu };
    let compiled: Compiled | undefined;
    let row: IsaRow;
    try {
      const shader = { code, constants: rest.constants, ...(entryPoint && { entryPoint }) };
      compiled = await compilers.plain.compile(shader);
      row = figuresOf(named, compiled, await compilers.checked.compile(shader), counting);
    } catch (error) {
      row = { ...named, error: (error as Error).message };
    }
    rows.push(row);
    onRow(row, compiled);
  }
  return rows;
}
