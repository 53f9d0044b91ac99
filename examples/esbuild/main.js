import { createContext, loadModel, softmax } from 'weightless-gpu';
import file from '../../demo/models/mnist-half-1536.safetensors';
import { seven, verdict } from '../digit.js';

const model = await loadModel(createContext(), new URL(file, import.meta.url));
const scores = softmax(await model.predict(seven()), 10);
document.querySelector('output').textContent = verdict(scores);
