import { createContext, dense, halfDense, loadModel, type Model, sequential } from 'weightless-gpu';
import { cosine, dataSet, type EpochReport, fit, saveModel } from 'weightless-gpu/train';

// Two numbers a point: class 1 inside the unit circle, class 0 around it.
const rows = 2000;
const features = new Float32Array(2 * rows);
const labels = Array.from({ length: rows }, (_, i) => i % 2);
labels.forEach((inside, i) => {
  const [angle, radius] = [i * 2.4, inside ? 0.9 * Math.sqrt((i % 97) / 97) : 1.1 + (i % 89) / 89];
  features.set([radius * Math.cos(angle), radius * Math.sin(angle)], 2 * i);
});

const context = await createContext();
const model: Model = sequential([halfDense({ units: 256 }), dense({ units: 2 })], { input: [2], seed: 1 });
let last: EpochReport | undefined;
for await (last of fit(context, model, dataSet({ features, shape: [2], labels }), {
  epochs: 10,
  learningRate: cosine(0.02),
}));

const file: Uint8Array = saveModel(model, { dtype: 'F16' });
const predictor = await loadModel(context, file);
const logits: Float32Array = await predictor.predict([0.2, 0.1, 1.2, 1.1]);
const inside = [logits[1]! > logits[0]!, logits[3]! > logits[2]!];
document.querySelector('output')!.textContent =
  `${(100 * last!.accuracy).toFixed(1)}% right after training, ${file.length} bytes; inside? ${inside.join(', ')}`;
