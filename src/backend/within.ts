import { WeightlessError } from '../core/errors.ts';

/** The promise, or a `WeightlessError` where it has not settled after so many milliseconds. `what` opens the message. */
export async function within<T>(milliseconds: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const seconds = milliseconds / 1000;
    timer = setTimeout(
      () => reject(new WeightlessError(`${what}: expected an answer within ${seconds} s, got none`)),
      milliseconds,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
