/** Reads the golden vectors of receptive fields (SPEC.md, section 6); test/golden-fields.ts writes them. */
import type { FieldName, FieldSpec } from '../weights/fields.ts';

export type GoldenField =
  | { kind: 'geometry'; seed: bigint; tensor: number; unit: number; words: number[] }
  | { kind: 'window'; spec: FieldSpec; unit: number; window: number[] }
  | { kind: 'field'; spec: FieldSpec; unit: number; bits: number; weights: number[] };

/** Parses golden vectors. Throws for a line of unknown kind. */
export function readGoldenFields(text: string): GoldenField[] {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines.map((line): GoldenField => {
    const [left, right] = line.split(' = ') as [string, string];
    const [kind, ...rest] = left.split(' ') as [string, ...string[]];
    const [unit, tensor, seed] = [Number(rest.at(-1)), Number(rest.at(-2)), BigInt(rest.at(-3)!)];
    const results = right.split(' ');
    if (kind === 'geometry') {
      return { kind, seed, tensor, unit, words: results.map((text) => Number.parseInt(text, 16)) };
    }
    if (kind !== 'window' && kind !== 'field') {
      throw new Error(`golden vectors: expected geometry, window or field, got: ${line}`);
    }
    const [height, width, channels] = rest.slice(1, 4).map(Number) as [number, number, number];
    const spec = { seed, tensor, distribution: rest[0] as FieldName, image: { height, width, channels } };
    if (kind === 'window') return { kind, spec, unit, window: results.map(Number) };
    const [bits, ...weights] = results as [string, ...string[]];
    return { kind, spec, unit, bits: Number.parseInt(bits, 16), weights: weights.map(Number) };
  });
}
