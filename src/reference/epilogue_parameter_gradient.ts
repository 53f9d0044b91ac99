import { activateGradient } from './activation.ts';
import { type EpilogueArgs, preactivation } from './epilogue.ts';

/** du (n) = sum over m of dy * g' * z, db (n) = sum over m of dy * g'. */
export function epilogueParameterGradient(args: EpilogueArgs & { dy: ArrayLike<number> }): {
  du: Float64Array;
  db: Float64Array;
} {
  const { m, n, z, activation, dy } = args;
  const du = new Float64Array(n);
  const db = new Float64Array(n);
  for (let i = 0; i < m * n; i++) {
    const da = dy[i]! * activateGradient(activation, preactivation(args, i));
    du[i % n]! += da * z[i]!;
    db[i % n]! += da;
  }
  return { du, db };
}
