/** Long computations on the page's own thread give way to it now and then. */

/** Milliseconds of work after which a page gets to answer its user. */
const YIELD_EVERY_MS = 30;

/** Lets everything that waits for this thread have its turn: input, timers, an abort. */
const yieldToEventLoop = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

/** Asked between two pieces of work: a promise to wait for where it is time to give way, else nothing. */
export type YieldClock = () => Promise<void> | undefined;

/** One clock for everything that shares a thread: pieces of work that are short one by one count together. */
export function yieldClock(): YieldClock {
  let last = performance.now();
  return () => {
    if (performance.now() - last < YIELD_EVERY_MS) return undefined;
    return yieldToEventLoop().then(() => {
      last = performance.now();
    });
  };
}
