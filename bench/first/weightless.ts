import { createContext, loadModel } from '../../src/index.ts';
import { first } from './page.ts';

const model = loadModel(createContext(), '/first/model.safetensors');
// Not awaited: lazily loaded chunks import this file and would wait for it to finish.
void first(async (pixels) => (await model).predict(pixels));
