/**
 * Data files of FANN, the Fast Artificial Neural Network library: a line of three sizes, then the inputs and outputs of
 * each row.
 */
import { DataError } from '../core/errors.ts';
import { quoted } from '../core/quote.ts';
import { limits } from './limits.ts';
import type { Cell, Table } from './table.ts';

/**
 * One column for each input, then the class: the index of the row's largest output, or for a single output whether it
 * is above 0.5. Throws `DataError`.
 */
export function readFann(text: string, name: string): Table {
  if (text.length > limits.fannBytes) {
    throw new DataError(`${name}: expected at most ${limits.fannBytes} bytes, got ${text.length}`);
  }
  const words = text.split(/\s+/).filter((word) => word !== '');
  const [rows = 0, inputs = 0, outputs = 0] = words.slice(0, 3).map(Number);
  const isWhole = [rows, inputs, outputs].every((size) => Number.isSafeInteger(size) && size > 0);
  const width = inputs + outputs;
  if (!isWhole || words.length !== 3 + rows * width) {
    throw new DataError(
      `${name}: expected rows, inputs and outputs, then as many numbers; got ${words.length ? quoted(words.slice(0, 3).join(' ')) : 'nothing'} ` +
        `and ${Math.max(0, words.length - 3)} numbers. The file is damaged.`,
    );
  }
  const columns: Cell[][] = Array.from({ length: inputs + 1 }, () => []);
  for (let row = 0; row < rows; row++) {
    const values = words.slice(3 + row * width, 3 + (row + 1) * width).map(Number);
    if (!values.every(Number.isFinite)) {
      const text = words[3 + row * width + values.findIndex((value) => !Number.isFinite(value))];
      throw new DataError(
        `${name}: expected finite numbers in row ${row + 1}, got ${quoted(text)}. The file is damaged.`,
      );
    }
    const targets = values.slice(inputs);
    const label = outputs === 1 ? Number(targets[0]! > 0.5) : targets.indexOf(targets.reduce((a, b) => Math.max(a, b)));
    for (let i = 0; i < inputs; i++) columns[i]!.push(values[i]!);
    columns[inputs]!.push(label);
  }
  return { name, header: undefined, columns, rows };
}
