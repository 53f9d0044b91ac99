/** The pause and stop buttons of a training run. */
import { byId } from './dom.ts';

const pauseButton = byId<HTMLButtonElement>('pause');
const stopButton = byId<HTMLButtonElement>('stop');
const status = byId('status');

/** Pauses and stops one training run. */
export class RunControl {
  readonly #ended = new AbortController();
  readonly #stopped = new AbortController();
  #gate: { promise: Promise<void>; open: () => void } | undefined;

  constructor() {
    const { signal } = this.#ended;
    pauseButton.addEventListener('click', () => (this.#gate ? this.#resume() : this.#pause()), { signal });
    stopButton.addEventListener(
      'click',
      () => {
        this.#stopped.abort();
        this.#resume();
      },
      { signal },
    );
  }

  get stop(): AbortSignal {
    return this.#stopped.signal;
  }

  /** Resolves as soon as the training is not paused. */
  async pass(): Promise<void> {
    if (!this.#gate) return;
    sayPaused(); // a report still under way has overwritten the status
    await this.#gate.promise;
  }

  end(): void {
    this.#ended.abort();
    this.#resume();
  }

  #pause(): void {
    let open = () => {};
    const promise = new Promise<void>((resolve) => {
      open = resolve;
    });
    this.#gate = { promise, open };
    pauseButton.textContent = 'Resume';
    sayPaused();
  }

  #resume(): void {
    this.#gate?.open();
    this.#gate = undefined;
    pauseButton.textContent = 'Pause';
  }
}

function sayPaused(): void {
  if (!status.textContent.startsWith('Paused')) status.textContent = `Paused. ${status.textContent}`;
}
