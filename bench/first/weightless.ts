import { createContext, loadModel } from '../../src/index.ts';
import { first } from './page.ts';

const model = loadModel(createContext(), '/first/model.safetensors');
await first(async (pixels) => (await model).predict(pixels));
