/** Reads the golden vectors of the weight stream (SPEC.md, section 6); test/golden-vectors.ts writes them. */
import type { DistributionName, ElementwiseName } from '../weights/distributions.ts';

export type GoldenVector =
  | { kind: 'key'; seed: bigint; tensor: number; unit: number; key: [number, number] }
  | { kind: 'word'; seed: bigint; tensor: number; unit: number; index: number; word: number }
  | {
      kind: 'weight';
      distribution: ElementwiseName;
      seed: bigint;
      tensor: number;
      unit: number;
      k0: number;
      weights: number[];
    }
  | { kind: 'scale'; distribution: DistributionName; fanIn: number; bits: number }
  | {
      kind: 'orthogonal';
      seed: bigint;
      tensor: number;
      unit: number;
      fanIn: number;
      k0: number;
      weights: number[];
    };

/** Parses golden vectors. Throws for a line of unknown kind. */
export function readGoldenVectors(text: string): GoldenVector[] {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines.map((line) => {
    const [left, right] = line.split(' = ') as [string, string];
    const [kind, ...rest] = left.split(' ') as [string, ...string[]];
    const results = right.split(' ');
    const hexadecimal = (i: number) => Number.parseInt(results[i]!, 16);
    switch (kind) {
      case 'key':
      case 'word': {
        const place = { seed: BigInt(rest[0]!), tensor: Number(rest[1]), unit: Number(rest[2]) };
        return kind === 'key'
          ? { kind, ...place, key: [hexadecimal(0), hexadecimal(1)] }
          : { kind, ...place, index: Number(rest[3]), word: hexadecimal(0) };
      }
      case 'orthogonal':
        return {
          kind,
          seed: BigInt(rest[0]!),
          tensor: Number(rest[1]),
          unit: Number(rest[2]),
          fanIn: Number(rest[3]),
          k0: Number(rest[4]),
          weights: results.map(Number),
        };
      case 'weight': {
        if (results.length !== Number(rest[5])) {
          throw new Error(`golden vectors: expected ${rest[5]} weights, got ${results.length}: ${line}`);
        }
        return {
          kind,
          distribution: rest[0] as ElementwiseName,
          seed: BigInt(rest[1]!),
          tensor: Number(rest[2]),
          unit: Number(rest[3]),
          k0: Number(rest[4]),
          weights: results.map(Number),
        };
      }
      case 'scale':
        return { kind, distribution: rest[0] as ElementwiseName, fanIn: Number(rest[1]), bits: hexadecimal(0) };
      default:
        throw new Error(`golden vectors: expected key, word, weight or scale, got: ${line}`);
    }
  });
}
