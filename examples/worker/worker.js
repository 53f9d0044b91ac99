// Import maps do not reach workers: without a bundler the address is written out.
import { createContext, loadModel, softmax } from '../node_modules/weightless-gpu/dist/weightless.js';

const model = loadModel(createContext(), '../../demo/models/mnist-half-1536.safetensors');

addEventListener('message', async ({ data: pixels }) => {
  try {
    const scores = softmax(await (await model).predict(pixels), 10);
    postMessage({ scores }, [scores.buffer]);
  } catch (error) {
    postMessage({ error: `${error.name}: ${error.message}` });
  }
});
