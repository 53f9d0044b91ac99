/** Values of a graph, and the checks of their shapes. */
import { ShapeError } from '../core/errors.ts';
import { product } from '../core/shape.ts';

/** A tensor of the graph: row-major, f32 unless its dtype says otherwise. */
export interface Value {
  readonly id: number;
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: 'f32' | 'u32';
  /**
   * `input`: given for each run. `parameter`, `state`: live longer than a run. `result`: computed by a node. `zeros`:
   * zeros, which the backend provides.
   */
  readonly role: 'input' | 'parameter' | 'state' | 'result' | 'zeros';
  /** Whether training changes this parameter. */
  readonly trained: boolean;
}

/** Whether a field of a node is a value. */
export const isValue = (field: unknown): field is Value =>
  typeof field === 'object' && field !== null && 'role' in field;

/** Elements of a value. */
export const elements = ({ shape }: Pick<Value, 'shape'>): number => product(shape);

/** One size of a value; 1 if it has no such axis. */
export const size = ({ shape }: Pick<Value, 'shape'>, axis: 0 | 1): number => shape[axis] ?? 1;

/** Throws `ShapeError` unless the value has the expected shape. */
export function expectShape(value: Value, expected: readonly number[]): readonly number[] {
  if (value.shape.length !== expected.length || value.shape.some((size, i) => size !== expected[i])) {
    throw new ShapeError(`expected '${value.name}' of shape (${expected.join(', ')}), got (${value.shape.join(', ')})`);
  }
  return expected;
}

/** Rows and columns of a matrix. Throws `ShapeError` if the value is not a matrix. */
export function matrix(value: Value): readonly [rows: number, columns: number] {
  const [rows, columns] = value.shape;
  if (value.shape.length !== 2 || !rows || !columns) {
    throw new ShapeError(`expected '${value.name}' to be a matrix, got shape (${value.shape.join(', ')})`);
  }
  return [rows, columns];
}
