import { createContext, loadModel } from '../../src/index.ts';
import { bytesOf, first } from './page.ts';

await first(async (pixels) => {
  const [context, file] = await Promise.all([createContext(), bytesOf('/first/model.safetensors')]);
  return (await loadModel(context, file)).predict(pixels);
});
