/** Early stopping: the epoch with the smallest validation loss, and when to stop looking for a better one. */
import { DivergedError } from '../core/errors.ts';
import type { Model } from '../model/model.ts';

/** The best epoch so far. */
export interface BestEpoch {
  readonly epoch: number;
  /** Its validation loss. */
  readonly loss: number;
  /** The model's parameters after it, by name. */
  readonly parameters: ReadonlyMap<string, Float32Array<ArrayBuffer>>;
}

/** The better of the best epoch so far and the one that just ended; the earlier of two equal ones. Throws `DivergedError`. */
export function betterEpoch(best: BestEpoch | undefined, epoch: number, loss: number, model: Model): BestEpoch {
  if (!Number.isFinite(loss)) {
    throw new DivergedError(
      `fit: expected a finite validation loss, got ${loss} in epoch ${epoch}. Lower the learning rate, or check the scale of the data.`,
    );
  }
  if (best && loss >= best.loss) return best;
  return { epoch, loss, parameters: new Map([...model.parameters].map(([name, values]) => [name, values.slice()])) };
}

/** Puts the parameters of that epoch into the model. */
export function restore({ parameters }: BestEpoch, model: Model): void {
  for (const [name, values] of parameters) model.parameters.set(name, values.slice());
}
