/**
 * `weightless/conformance`: every kernel against its twin on this very device, and a report to attach to a bug. Devices that pass
 * have the same weights and the same sums of integers, bit for bit: their reports have the same digest.
 */
import { type Context, createContext } from '../context.ts';
import { DeviceLostError, WeightlessError } from '../errors.ts';
import { STREAM_VERSION } from '../weights/stream.ts';
import { type Case, runCases } from './case.ts';
import { exactGroups, type Group } from './exact.ts';
import { layerGroups } from './layers.ts';
import { trainingGroups } from './training.ts';

export { createContext };

/** What came of one group of cases. */
export interface Finding {
  readonly name: string;
  /** Whether everything in it has to be the same bit for bit. */
  readonly exact: boolean;
  readonly cases: number;
  /** Kernels that ran, by file stem. */
  readonly kernels: readonly string[];
  /** What differs from the twin or did not run, a line each. */
  readonly wrong: readonly string[];
}

export interface Report {
  readonly passed: boolean;
  readonly streamVersion: number;
  /** Browser or runtime. */
  readonly runtime: string;
  readonly adapter: Context['adapter'];
  readonly features: readonly string[];
  readonly findings: readonly Finding[];
  /** SHA-256 of what the device gave where every device must give the same: hexadecimal. */
  readonly digest: string;
}

const groups = [
  ...exactGroups.map((group) => ({ group, exact: true })),
  ...[...layerGroups, ...trainingGroups].map((group) => ({ group, exact: false })),
];

export interface ConformanceOptions {
  /** Only the groups whose names hold this text; the digest is then one of these alone. */
  readonly filter?: string | undefined;
  /** Hears of each group when it is done. */
  readonly onFinding?: (finding: Finding) => void;
}

/** Runs every check. Throws `DeviceLostError` only: what else fails is in the report. */
export async function conformance(context: Context, options: ConformanceOptions = {}): Promise<Report> {
  const { filter = '', onFinding } = options;
  const findings: Finding[] = [];
  const exactParts: ArrayBuffer[] = [];
  for (const { group, exact } of groups.filter(({ group }) => group.name.includes(filter))) {
    const { finding, parts } = await check(context, group, exact);
    if (exact) exactParts.push(...parts);
    findings.push(finding);
    onFinding?.(finding);
  }
  return {
    passed: findings.every(({ wrong }) => wrong.length === 0),
    streamVersion: STREAM_VERSION,
    runtime: globalThis.navigator?.userAgent ?? `Node.js ${process.version}`,
    adapter: context.adapter,
    features: [...context.device.features].sort(),
    findings,
    digest: await digestOf(exactParts),
  };
}

/** The digest that every device must give, as the CPU twin has it. */
export const wantedDigest = (): Promise<string> =>
  digestOf(
    exactGroups.flatMap(({ cases }) =>
      cases().flatMap(({ outputs }) =>
        Object.values(outputs)
          .filter(({ tolerance }) => !tolerance)
          .map(({ want, type }) => (type === 'i32' ? Int32Array : Float32Array).from(want).buffer as ArrayBuffer),
      ),
    ),
  );

async function check(context: Context, group: Group, exact: boolean) {
  const cases = group.cases();
  const wrong: string[] = [];
  const kernels = new Set<string>();
  const parts: ArrayBuffer[] = [];
  for (let start = 0; start < cases.length; start += 32) {
    const some: readonly Case[] = cases.slice(start, start + 32);
    try {
      const outcome = await runCases(context, some);
      wrong.push(...outcome.wrong);
      parts.push(...outcome.exact);
      for (const name of outcome.kernels) kernels.add(name);
    } catch (error) {
      if (error instanceof DeviceLostError || !(error instanceof WeightlessError)) throw error;
      wrong.push(`${error.name}: ${error.message}`);
    }
  }
  const finding: Finding = { name: group.name, exact, cases: cases.length, kernels: [...kernels].sort(), wrong };
  return { finding, parts };
}

async function digestOf(parts: readonly ArrayBuffer[]): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', await new Blob([...parts]).arrayBuffer());
  return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
