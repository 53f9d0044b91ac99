/** What a page or a Node program does with the package: predicts, trains, predicts again. */
import { createContext, loadModel } from 'weightless-gpu';
import { dataSet, evaluate, fit, saveModel } from 'weightless-gpu/train';
import { convolutions, dense } from './models.js';

const digits = (values) => [...values].map((value) => value.toFixed(4)).join(' ');
const wave = (count) => Float32Array.from({ length: count }, (_, i) => Math.sin(i));

/** One line of numbers, the same wherever it is computed. */
export async function answer() {
  const context = await createContext({ backend: 'cpu', threads: 2 });
  const wide = await loadModel(context, dense); // wide enough for two threads
  const images = await loadModel(context, convolutions); // loads the code of its layers
  const first = [await wide.predict(wave(1024)), await images.predict(wave(64))];
  const data = dataSet({ features: wave(2048), shape: [1024], labels: [0, 1] });
  for await (const _ of fit(context, wide.model, data, { epochs: 3, seed: 1 }));
  const trained = await loadModel(context, saveModel(wide.model));
  const { accuracy } = await evaluate(context, trained.model, data);
  const last = await trained.predict(wave(1024));
  context.dispose();
  return [...first, last].map(digits).concat(`accuracy ${accuracy}`).join(', ');
}

/** The first layer's output on WebGPU: loads the shader of orthogonal weights. */
export async function onGpu() {
  const context = await createContext({ backend: 'webgpu' });
  const predictor = await loadModel(context, convolutions);
  const numbers = await predictor.predict(wave(64));
  context.dispose();
  return digits(numbers);
}
