/** A Markdown table of the compared rows: one line per engine, one column per task and shape, minimum milliseconds. */

import { figure } from './format.ts';
import peers from './package.json' with { type: 'json' };
import type { Row } from './rows.ts';

const tfjs = `TensorFlow.js ${peers.dependencies['@tensorflow/tfjs-core']} WebGPU`;
const onnx = `ONNX Runtime Web ${peers.dependencies['onnxruntime-web']}`;

/** Well-known names of engines. Engines that are not listed appear under their own name. */
const ENGINES: Readonly<Record<string, string>> = {
  'jax-js': `jax-js ${peers.dependencies['@jax-js/jax']}`,
  'tfjs-webgpu': tfjs,
  'onnx-webgpu': `${onnx} WebGPU`,
  'onnx-wasm': `${onnx} WASM (no GPU API)`,
  'onnx-wasm-1': `${onnx} WASM, 1 thread (no GPU API)`,
  stored: 'our kernels',
};

/** Engines with random weights; the distribution follows the name. */
const OURS: Readonly<Record<string, string>> = {
  weightless: 'weightless',
  'weightless-cpu': 'weightless on the CPU',
  'weightless-cpu-1': 'weightless on the CPU, 1 thread,',
};

const lineName = ({ engine, weights, task }: Row): string => {
  if (OURS[engine]) return `${OURS[engine]} \`${weights}\``;
  return `${ENGINES[engine] ?? engine}, ${task === 'forward' ? 'stored ' : ''}${weights}`;
};

const columnName = ({ task, m, k, n }: Row): string =>
  task === 'forward' ? `${m} x ${k} x ${n}` : `${task} ${k}-${n}, batch ${m}`;

/** One table for forward rows and one for training steps, empty without rows. A wrong result gets no figure. */
export function overview(rows: readonly Row[]): string {
  return [rows.filter(({ task }) => task === 'forward'), rows.filter(({ task }) => task.startsWith('training'))]
    .filter((members) => members.some(({ ms }) => ms))
    .map((members) => {
      const columns = [...new Set(members.map(columnName))];
      const lines = new Map<string, Map<string, string>>();
      for (const row of members) {
        const line = lines.get(lineName(row)) ?? new Map<string, string>();
        lines.set(lineName(row), line.set(columnName(row), row.verified === false ? 'wrong' : figure(row.ms?.min)));
      }
      const cells = [...lines].map(([name, line]) => [name, ...columns.map((column) => line.get(column) ?? '')]);
      const table = [['minimum ms', ...columns], ['---', ...columns.map(() => '---')], ...cells];
      return table.map((line) => `| ${line.join(' | ')} |`).join('\n');
    })
    .join('\n\n');
}
