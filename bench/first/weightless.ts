import { createContext, loadModel } from '../../src/index.ts';
import { first } from './page.ts';

const model = loadModel(createContext(), '/first/model.safetensors');
// Not awaited: what is loaded later imports this file, and would wait for it to end.
void first(async (pixels) => (await model).predict(pixels));
