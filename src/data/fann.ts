/** Data of FANN, the Fast Artificial Neural Network library: a line of three sizes, then inputs and outputs of each row in turn. */
import { DataError } from '../core/errors.ts';
import type { Cell, Table } from './table.ts';

/**
 * Columns of the inputs, then the class: the number of a row's largest output; a single output is class 1 above the middle of its two
 * values. Throws `DataError`.
 */
export function readFann(text: string, name: string): Table {
  const words = text.split(/\s+/).filter((word) => word !== '');
  const [rows = 0, inputs = 0, outputs = 0] = words.slice(0, 3).map(Number);
  const whole = [rows, inputs, outputs].every((size) => Number.isSafeInteger(size) && size > 0);
  const width = inputs + outputs;
  if (!whole || words.length !== 3 + rows * width) {
    throw new DataError(
      `${name}: expected rows, inputs and outputs, then as many numbers; got ${words.slice(0, 3).join(' ') || 'nothing'} ` +
        `and ${Math.max(0, words.length - 3)} numbers. The file is damaged.`,
    );
  }
  const columns: Cell[][] = Array.from({ length: inputs + 1 }, () => []);
  for (let row = 0; row < rows; row++) {
    const values = words.slice(3 + row * width, 3 + (row + 1) * width).map(Number);
    if (!values.every(Number.isFinite)) {
      const text = words[3 + row * width + values.findIndex((value) => !Number.isFinite(value))];
      throw new DataError(`${name}: expected finite numbers in row ${row + 1}, got ${text}. The file is damaged.`);
    }
    const given = values.slice(inputs);
    const label = outputs === 1 ? Number(given[0]! > 0.5) : given.indexOf(Math.max(...given));
    for (let i = 0; i < inputs; i++) columns[i]!.push(values[i]!);
    columns[inputs]!.push(label);
  }
  return { name, header: undefined, columns, rows };
}
