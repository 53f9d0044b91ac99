/** How an operation is declared: its plain fields, the values it reads, those it makes, and its family. */
import type { ActivationName } from '../core/activations.ts';
import type { Value } from './value.ts';

/**
 * Operations that a backend loads together. Pages do not load families that their graphs do not use, except `dense`.
 */
export type Family = 'dense' | 'training' | 'image' | 'imageGradient' | 'field' | 'fieldGradient' | 'solve' | 'signal';

type Shape = readonly number[];

/** The values that a declaration reads, by name; a name such as `u?` is optional. */
export type Reads<R extends string> = { readonly [N in R as N extends `${string}?` ? never : N]: Value } & {
  readonly [N in R as N extends `${infer M}?` ? M : never]?: Value | undefined;
};

export interface Declaration<F, G extends Family, R extends string, M> {
  readonly family: G;
  readonly reads: readonly R[];
  /**
   * The shape of each value it makes, from its fields and what it reads. Throws `ShapeError`, to which `apply` adds the
   * operation.
   */
  readonly makes: M;
  /** Its plain fields, only for types. */
  readonly fields?: F;
}

export const op =
  <F = unknown>() =>
  <G extends Family, R extends string, M extends Record<string, (from: F & Reads<R>) => Shape | undefined>>(
    family: G,
    reads: readonly R[],
    makes: M,
  ): Declaration<F, G, R, M> => ({ family, reads, makes });

/** Fields of every operation that applies an activation. */
export interface Activated {
  readonly activation: ActivationName;
}
