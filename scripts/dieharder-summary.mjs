/** Summarizes logs of scripts/dieharder.mjs as Markdown. */

/**
 * Tests whose verdict is ignored. Dieharder itself lists diehard_sums as "Do Not Use", and rightly so: AES-256 fails it
 * with 1,000 p-samples. To see this: npm run dieharder -- --control --tests 14 --p-samples 1000
 */
export const UNFIT = new Set(['diehard_sums']);

/** Parses a row of Dieharder's result table; undefined for any other line. */
export function parseRow(line) {
  const [test, ntuple, samples, pSamples, p, verdict] = line.split('|').map((cell) => cell.trim());
  return ['PASSED', 'WEAK', 'FAILED'].includes(verdict)
    ? { test, ntuple, samples: Number(samples), pSamples: Number(pSamples), p: Number(p), verdict }
    : undefined;
}

/** The runs of a log, each with its rows and the rows of its repetitions. */
export function parseLog(text) {
  const runs = [];
  let rows;
  for (const line of text.split('\n')) {
    const [, kind, json] = line.match(/^# (run|resumed|repetition|end) (.*)$/) ?? [];
    if (kind === 'run') {
      runs.push({ ...JSON.parse(json), rows: [], repetitions: [] });
      rows = runs.at(-1).rows;
    } else if (kind === 'repetition') {
      runs.at(-1).repetitions.push({ ...JSON.parse(json), rows: [] });
      rows = runs.at(-1).repetitions.at(-1).rows;
    } else if (kind === 'resumed') {
      runs.at(-1).resumed = true;
      rows = runs.at(-1).rows;
    } else if (kind === 'end') {
      Object.assign(runs.at(-1), { ended: JSON.parse(json) });
    } else {
      const row = parseRow(line);
      if (row) {
        rows.push(row);
      }
    }
  }
  return runs;
}

/**
 * The results of a run, by statistic. A statistic has several rows if `-Y 1` took more samples because a statistic of
 * its test was WEAK. Tests with several statistics under one name always print them in the same order.
 */
export function byStatistic(rows) {
  const statistics = new Map();
  const seen = new Map();
  for (const row of rows) {
    const stage = `${row.test} ${row.ntuple} ${row.pSamples}`;
    const nth = seen.get(stage) ?? 0;
    seen.set(stage, nth + 1);
    const name = `${row.test} ${row.ntuple} #${nth + 1}`;
    statistics.set(name, [...(statistics.get(name) ?? []), row]);
  }
  return statistics;
}

const stages = (rows) => rows.map((row) => `${row.p} (${row.pSamples}) ${row.verdict}`).join(', ');

export function summarise(text) {
  const runs = parseLog(text);
  const lines = [
    '# Dieharder on the weight stream, version 1',
    '',
    'Written by `node scripts/dieharder.mjs --summarise LOGS`. Dieharder 3.31.1 reads raw 32-bit words; `-k 2 -Y 1`: exact',
    'Kolmogorov-Smirnov, and a WEAK test gets more samples until its verdict is settled. The verdict of a statistic is',
    'its last one. Dieharder calls p below 0.005 or above 0.995 WEAK, so about 1 in 100 first verdicts on perfect randomness',
    'is WEAK. Each is repeated with another seed. The minutes of a resumed run cover only its last part. The wrong mixes stop at',
    'their first FAILED. The counts exclude diehard_sums: Dieharder lists it as "Do Not Use", and AES-256 fails it too',
    '(`--control`).',
    '',
    '| command | mix | order | seed | statistics | passed | weak | failed | first verdicts WEAK | minutes |',
    '|---|---|---|---|---|---|---|---|---|---|',
  ];
  const details = [];
  for (const run of runs) {
    const statistics = [...byStatistic(run.rows)];
    const fit = statistics.filter(([, rows]) => !UNFIT.has(rows[0].test));
    const last = (verdict) => fit.filter(([, rows]) => rows.at(-1).verdict === verdict).length;
    const weak = statistics.filter(([, rows]) => rows.some((row) => row.verdict === 'WEAK'));
    const firstWeak = fit.filter(([, rows]) => rows[0].verdict === 'WEAK').length;
    const expected = (fit.length / 100).toFixed(1);
    lines.push(
      `| \`${run.command}\` | ${run.mix} | ${run.order} | ${run.seed} | ${fit.length} | ${last('PASSED')} ` +
        `| ${last('WEAK')} | ${last('FAILED')} | ${firstWeak} (expected ${expected}) | ${run.ended?.minutes ?? 'not ended'}${run.resumed ? ' (resumed)' : ''} |`,
    );
    const failed = statistics.filter(
      ([, rows]) => rows.at(-1).verdict === 'FAILED' && !weak.some(([, w]) => w === rows),
    );
    const again = run.repetitions.flatMap(({ seed, rows }) =>
      [...byStatistic(rows)].map(([name, r]) => ({ seed, name, rows: r })),
    );
    for (const [name, rows] of [...weak, ...failed]) {
      const repetition = again.find((other) => other.name === name);
      const answer = repetition ? `${stages(repetition.rows)} at seed ${repetition.seed}` : 'not repeated';
      details.push(`| ${run.mix} | ${run.order} | ${name} | ${stages(rows)} | ${answer} |`);
    }
  }
  if (details.length > 0) {
    lines.push('', '## WEAK and FAILED', '');
    lines.push('p-value (number of p-samples) verdict, in sequence; then the repetition.', '');
    lines.push('| mix | order | statistic | p | repetition |', '|---|---|---|---|---|', ...details);
  }
  return lines.join('\n');
}
