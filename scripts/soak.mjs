/**
 * `npm run soak -- --minutes 30 --seed 1 --log FILE` trains, saves, loads and predicts while it destroys devices at
 * random moments (test/soak/soak.ts). It prints a line per minute, also to the log. Exits with 1 if a result differs,
 * resources leak, or the line fitted to the memory rises by more than `--rss` or `--heap` MiB (test/soak/memory.ts).
 */
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { build } from 'esbuild';
import { openLog } from './log-file.mjs';
import { cache, root } from './setup.mjs';
import { esbuildWgsl } from './wgsl.mjs';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
    rss: { type: 'string', default: '64' },
    heap: { type: 'string', default: '4' },
    log: { type: 'string' },
  },
});
const [minutes, seed, rss, heap] = [values.minutes, values.seed, values.rss, values.heap].map(Number);
if (!(minutes > 0) || !Number.isInteger(seed) || !(rss > 0) || !(heap > 0)) {
  console.error(`soak: expected --minutes, --seed, --rss and --heap as numbers, got ${JSON.stringify(values)}`);
  process.exit(2);
}
const say = openLog('soak', values.log);
// Memory is measured after a garbage collection, so that only live memory counts.
setFlagsFromString('--expose-gc');
globalThis.gc = runInNewContext('gc');

// Inside the repository, so that imports of packages resolve.
const outfile = join(cache, 'soak.mjs');
await build({
  absWorkingDir: root,
  stdin: {
    contents: "export * from './soak.ts'; export * from './memory.ts';",
    resolveDir: join(root, 'test/soak'),
  },
  outfile,
  bundle: true,
  packages: 'external',
  format: 'esm',
  platform: 'node',
  target: 'node20',
  plugins: [esbuildWgsl()],
  loader: { '.txt': 'text' },
  logLevel: 'warning',
});
const { checkFlat, soak, trendOf } = await import(pathToFileURL(outfile).href);
say(
  `npm run soak -- --minutes ${minutes} --seed ${seed} --rss ${rss} --heap ${heap}\n` +
    `Node ${process.version}, ${process.platform} ${process.arch}, ${cpus()[0]?.model}, ${availableParallelism()} threads, ${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
);
try {
  const every = Math.min(60, 6 * minutes);
  const { samples, ...counts } = await soak({ seconds: 60 * minutes, seed, every, say });
  const { rounds, trainings, files, predictions, losses, interrupted } = counts;
  say(
    `${minutes} minutes, seed ${seed}: ${rounds} rounds, ${trainings} training runs ended with the bits of an undisturbed ` +
      `one, ${files} models reloaded from their files, ${predictions} predictions equal to the float64 twin; ` +
      `${losses} devices lost, ${interrupted} of them during work; no buffer left after any round`,
  );
  const late = trendOf(samples.slice(samples.length >> 1), 'rss');
  const trends = checkFlat(samples, { rss, heap });
  const described = ({ growth, perHour }, bound) =>
    `${growth.toFixed(1)} MiB (${perHour.toFixed(1)} per hour; at most ${bound})`;
  say(
    `memory by a line fitted to ${samples.length} samples, without the first fifth: resident ${described(trends.rss, rss)}, heap ` +
      `${described(trends.heap, heap)}; in the second half resident ${late.growth.toFixed(1)} MiB`,
  );
  process.exit(0);
} catch (error) {
  say(`FAILED: ${error.name}: ${error.message}`);
  process.exit(1);
}
