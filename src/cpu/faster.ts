/** Two ways to compute a model, timed on one row. */
import type { Forward } from '../backend/backend.ts';

/** Time limit for each way, and the minimum number of calls. The first call does not count. */
const BUDGET_MS = 60;
const LEAST_CALLS = 3;

async function millisecondsOf(forward: Forward, row: Float32Array<ArrayBuffer>): Promise<number> {
  await forward.compute(row.slice());
  let best = Number.POSITIVE_INFINITY;
  const end = performance.now() + BUDGET_MS;
  for (let call = 0; call < LEAST_CALLS || performance.now() < end; call++) {
    const started = performance.now();
    await forward.compute(row.slice());
    best = Math.min(best, performance.now() - started);
  }
  return best;
}

/** Which of the two is faster for a row of `inputs` numbers, and how long each takes. */
export async function timed(own: Forward, rival: Forward, inputs: number) {
  const row = Float32Array.from({ length: inputs }, (_, i) => Math.sin(i + 1)); // no zeros: those can be skipped
  const [ownMs, rivalMs] = [await millisecondsOf(own, row), await millisecondsOf(rival, row)];
  return { ownMs, rivalMs, faster: ownMs <= rivalMs ? own : rival };
}
