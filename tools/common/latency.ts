/** How long one prediction takes. */
import type { Backend } from '../../src/backend/backend.ts';

import { inputSize, type Model } from '../../src/model/model.ts';
import { createPredictor } from '../../src/predict/predictor.ts';

const WARM_UP = 5;
const MEASURED = 20;

/** Median wall-clock milliseconds of a prediction for one row, with the scores read back. */
export async function predictMilliseconds(context: Backend, model: Model): Promise<number> {
  const predictor = await createPredictor(context, model);
  const row = Float32Array.from({ length: inputSize(model) }, (_, i) => (i % 7) / 7);
  const times: number[] = [];
  for (let i = 0; i < WARM_UP + MEASURED; i++) {
    const started = performance.now();
    await predictor.predict(row);
    if (i >= WARM_UP) times.push(performance.now() - started);
  }
  await predictor.dispose();
  return times.sort((a, b) => a - b)[times.length >> 1]!;
}
