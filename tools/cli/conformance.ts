/** `weightless conformance`: checks every kernel against its twin on this machine's device. */

import { adapterName } from '../../src/backend/adapter.ts';
import { conformance, type Finding } from '../../src/conformance/conformance.ts';
import type { Context } from '../../src/gpu/context.ts';
import { print, say, table } from '../common/output.ts';

/** Prints the report. Resolves to whether every check passed. */
export async function conformanceCommand(
  context: Context,
  { json, filter }: { json?: boolean; filter?: string },
): Promise<boolean> {
  const onFinding = ({ name, wrong, missing }: Finding) =>
    say(`${wrong.length ? 'WRONG' : missing ? 'none ' : 'ok   '} ${name}`);
  const report = await conformance(context, { filter, onFinding });
  const { findings, digest, streamVersion, runtime } = report;
  print(json, report, () =>
    [
      table(
        ['', 'check', 'agreement', 'cases', 'kernels'],
        findings.map(({ name, exact, cases, kernels, missing, wrong }) => [
          wrong.length ? 'WRONG' : missing ? 'none' : 'ok',
          name,
          exact ? 'bit for bit' : 'within rounding',
          String(cases),
          missing ? `needs ${missing}, which this device lacks` : kernels.join(', '),
        ]),
      ),
      ...findings.flatMap(({ name, wrong }) => wrong.map((line) => `${name}: ${line}`)),
      `${runtime}, ${adapterName(report.adapter)}: ${report.passed ? 'conforms' : 'DOES NOT CONFORM'}`,
      `stream version ${streamVersion}${digest ? `, digest ${digest} (every device that conforms has the same)` : ''}`,
    ].join('\n'),
  );
  return report.passed;
}
