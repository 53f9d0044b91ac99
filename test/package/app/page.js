import { answer, onGpu } from './main.js';

const output = document.querySelector('output');
try {
  const [cpu, gpu] = [await answer(), await onGpu()];
  output.textContent = `${cpu}, WebGPU ${gpu}`;
} catch (error) {
  output.textContent = `${error.name}: ${error.message}`;
}
