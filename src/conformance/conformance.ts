/**
 * `weightless-gpu/conformance`: checks every kernel against its twin on this device and makes a report to attach to a
 * bug. All passing devices have the same weights and integer sums, bit for bit, so their reports have the same digest.
 */

import { DeviceLostError, WeightlessError } from '../core/errors.ts';
import { expectOptions } from '../core/options.ts';
import type { Context } from '../gpu/context.ts';
import { createContext } from '../open.ts';
import { STREAM_VERSION } from '../weights/stream.ts';
import { type Case, type Group, type Outcome, runCases } from './case.ts';
import { exactGroups, roundingGroups } from './groups.ts';

export { createContext };

/** The result of one group of cases. */
export interface Finding {
  readonly name: string;
  /** Whether all results must be the same bit for bit. */
  readonly exact: boolean;
  readonly cases: number;
  /** Number of cases that differ or did not run. */
  readonly failed: number;
  /** Kernels that ran, by file stem. */
  readonly kernels: readonly string[];
  /** Missing device features; if set, nothing ran. */
  readonly missing?: GPUFeatureName;
  /** Differences from the twin and cases that did not run, one line each. */
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
  /** Hexadecimal SHA-256 of the results that must be the same on every device; absent if none of these ran. */
  readonly digest?: string;
}

const groups = [
  ...exactGroups.map((group) => ({ group, exact: true })),
  ...roundingGroups.map((group) => ({ group, exact: false })),
];

export interface ConformanceOptions {
  /** Runs only groups whose names contain this text. The digest then covers only these. */
  readonly filter?: string | undefined;
  /** Called after each group. */
  readonly onFinding?: (finding: Finding) => void;
}

/**
 * Runs every check. Throws `DeviceLostError`, and `RangeError` if no group matches. The report lists all other
 * failures.
 */
export async function conformance(context: Context, options: ConformanceOptions = {}): Promise<Report> {
  expectOptions('conformance', options, { filter: 'string', onFinding: 'function' });
  const { filter = '', onFinding } = options;
  const chosen = groups.filter(({ group }) => group.name.includes(filter));
  if (chosen.length === 0) {
    const names = groups.map(({ group }) => group.name).join('; ');
    throw new RangeError(`conformance: expected a filter that some name holds (${names}), got '${filter}'`);
  }
  const findings: Finding[] = [];
  const exactParts: ArrayBuffer[] = [];
  for (const { group, exact } of chosen) {
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
    ...(exactParts.length > 0 && { digest: await digestOf(exactParts) }),
  };
}

/** The digest that every device must have, computed by the CPU twin. */
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

async function check(context: Context, { name, feature, cases }: Group, exact: boolean) {
  if (feature && !context.device.features.has(feature)) {
    const finding: Finding = { name, exact, cases: 0, failed: 0, kernels: [], missing: feature, wrong: [] };
    return { finding, parts: [] };
  }
  const all = cases();
  const outcomes: Outcome[] = [];
  for (let start = 0; start < all.length; start += 32) {
    outcomes.push(...(await outcomesOf(context, all.slice(start, start + 32))));
  }
  const kernels = [...new Set(outcomes.flatMap(({ kernels }) => kernels))].sort();
  const wrong = outcomes.flatMap(({ wrong }) => wrong);
  const failed = outcomes.reduce((sum, { failed }) => sum + failed, 0);
  const finding: Finding = { name, exact, cases: all.length, failed, kernels, wrong };
  return { finding, parts: outcomes.flatMap(({ exact }) => exact) };
}

/** Runs the cases together. If the device rejects them, runs them one by one to find the rejected one. */
async function outcomesOf(context: Context, cases: readonly Case[]): Promise<Outcome[]> {
  try {
    return [await runCases(context, cases)];
  } catch (error) {
    if (error instanceof DeviceLostError || !(error instanceof WeightlessError)) throw error;
    if (cases.length === 1) {
      return [{ failed: 1, wrong: [`${cases[0]!.what}: ${error.name}: ${error.message}`], exact: [], kernels: [] }];
    }
    const outcomes: Outcome[] = [];
    for (const one of cases) outcomes.push(...(await outcomesOf(context, [one])));
    return outcomes;
  }
}

async function digestOf(parts: readonly ArrayBuffer[]): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', await new Blob([...parts]).arrayBuffer());
  return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
