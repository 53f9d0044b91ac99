/**
 * `npm test`: installs what is missing, then runs every check in parallel (side-by-side.mjs). All stages run; the last
 * line gives the counts. `--only STAGE` runs one stage, or several separated by commas.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, setup } from './setup.mjs';
import { sideBySide } from './side-by-side.mjs';

/** The JavaScript file of a tool, because only a shell can start node_modules/.bin on Windows. */
const tool = (path) => join(root, 'node_modules', path);
const vitest =
  (project, runtime = []) =>
  (report) => [
    process.execPath,
    [
      ...runtime,
      tool('vitest/vitest.mjs'),
      'run',
      '--project',
      project,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ],
  ];

const deno = [join(root, 'test/deno/node_modules/deno/bin.cjs'), 'run', '--allow-all'];

/**
 * The stages: a command each, or for vitest a function of the path of its report. They start in this order: the long
 * ones first, and next to the build those that fill the time until the others can start.
 */
const stages = {
  build: () => [process.execPath, ['scripts/build.mjs', '--types']],
  naga: vitest('naga', deno),
  isa: () => [process.execPath, ['bench/main.mjs', '--isa', '--check']],
  browser: vitest('browser'),
  node: vitest('node'),
  cli: vitest('cli'),
  kernels: vitest('kernels'),
  types: () => [process.execPath, [tool('typescript/bin/tsc'), '-p', '.']],
  lint: () => [process.execPath, [tool('@biomejs/biome/bin/biome'), 'ci', '.']],
  second: () => ['python3', ['test/second/stream_v1.py']],
};
/** Stages that test the built command line and pages. */
const AFTER_BUILD = ['node', 'cli', 'browser'];
/** Exit code of a stage whose tools do not exist on this system. It counts neither as passed nor as failed. */
const NOT_HERE = 3;

const only = process.argv.includes('--only')
  ? (process.argv[process.argv.indexOf('--only') + 1] ?? '').split(',')
  : Object.keys(stages);
const unknown = only.filter((name) => !Object.hasOwn(stages, name));
if (unknown.length) {
  console.error(`expected --only of ${Object.keys(stages).join(', ')}; got ${unknown.join(', ') || 'nothing'}`);
  process.exit(2);
}
if (!only.includes('build') && AFTER_BUILD.some((name) => only.includes(name))) only.unshift('build');

try {
  setup({ tests: true, gpuCompiler: only.includes('isa') });
} catch (error) {
  console.log(`\nFAILED setup: ${error.message}\n0 passed, 1 failed`);
  process.exit(1);
}
const reportOf = (name) => join(tmpdir(), `weightless-${name}-${process.pid}.json`);
const ran = await sideBySide(
  only.map((name) => {
    const [command, args] = stages[name](reportOf(name));
    return { name, command, args, after: AFTER_BUILD.includes(name) ? 'build' : undefined };
  }),
  { cwd: root, env: { ...process.env, DENO_NO_UPDATE_CHECK: '1' } },
);
let passed = 0;
let failed = 0;
const summary = [];
const failures = [];
for (const { name, status, seconds } of ran) {
  const report = reportOf(name);
  let counts = { passed: 0, failed: 0 };
  if (existsSync(report)) {
    const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
    counts = { passed: numPassedTests, failed: numFailedTests };
    for (const { name: file, status, message, assertionResults } of testResults) {
      const failed = assertionResults.filter(({ status }) => status === 'failed');
      for (const { fullName, failureMessages } of failed)
        failures.push([name, file, fullName, failureMessages[0] ?? '']);
      if (status === 'failed' && !failed.length) failures.push([name, file, 'the file itself', message]);
    }
    rmSync(report);
  }
  const notHere = name === 'isa' && status === NOT_HERE;
  // A stage without a test runner counts as one test, and so does a runner that failed without a failing test.
  if (notHere) counts = { passed: 0, failed: 0 };
  else if (status !== 0) counts.failed = Math.max(1, counts.failed);
  else if (counts.passed === 0) counts.passed = 1;
  passed += counts.passed;
  failed += counts.failed;
  const verdict = counts.failed ? 'FAILED' : notHere ? 'none  ' : 'ok    ';
  summary.push(
    `${verdict} ${name.padEnd(8)} ${seconds.toFixed(1)} s${notHere ? ', not on this system: see above' : ''}`,
  );
}
// Repeats the failures at the end, where they are easy to find.
for (const [stage, file, test, message] of failures.slice(0, 12)) {
  console.log(`\n${stage}: ${file.slice(root.length + 1)}: ${test}\n  ${message.split('\n').slice(0, 3).join('\n  ')}`);
}
console.log(`\n${summary.join('\n')}\n${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
