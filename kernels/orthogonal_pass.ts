import { type ActivationName, activationCode } from '../src/core/activations.ts';
import { type Dispatch, linearGrid } from './dispatch.ts';

const source = { name: 'orthogonal_pass', fetch: () => import('./orthogonal_pass.wgsl') };

export interface OrthogonalPassArgs<B> {
  /** Rows, blocks per row, log2 of the elements per block (7 to 16). */
  readonly m: number;
  readonly blocks: number;
  readonly logP: number;
  /** The butterfly covers `bits` (3 to 6) bits of the index, from bit `shift` on. */
  readonly bits: number;
  readonly shift: number;
  /** Flips by diagonal `signs` (0, 1, 2): before the butterfly, between two butterflies, or after it. */
  readonly flip?: { readonly when: 'before' | 'between' | 'after'; readonly signs: 0 | 1 | 2 };
  /** Elements from row to row, from block to block, and per row; every block starts within the row. */
  readonly from: Layout;
  readonly to: Layout;
  /** Default 1. Like the epilogue, it needs `to.whole` unset. */
  readonly scale?: number;
  readonly source: B;
  /** (blocks) pairs of u32: `unitKeys`. */
  readonly keys: B;
  /** g(u * z + b), u and b over the elements of a row. Without u: g(z + b). */
  readonly epilogue?: { readonly u?: B; readonly b: B; readonly activation: ActivationName } | undefined;
  readonly out: B;
}

export interface Layout {
  readonly stride: number;
  readonly block: number;
  readonly end: number;
  /** Every block is whole: no element lies past the end. */
  readonly whole?: boolean;
}

/** One pass of a transform over all blocks of all rows. */
export function orthogonalPass<B>(args: OrthogonalPassArgs<B>): Dispatch<B> {
  const { m, blocks, logP, bits, shift, flip, from, to, scale = 1, keys, epilogue } = args;
  const count = (m * blocks * 2 ** logP) / 64;
  return {
    source,
    constants: {
      BITS: bits,
      FLIP: flip ? ['before', 'between', 'after'].indexOf(flip.when) + 1 : 0,
      FIRST: from.whole ? 0 : 1,
      LAST: to.whole ? 0 : 1,
      EPILOGUE: epilogue ? (epilogue.u ? 2 : 1) : 0,
      ACTIVATION: activationCode(epilogue?.activation ?? 'identity'),
    },
    params: {
      count,
      blocks,
      log_p: logP,
      shift,
      signs: flip?.signs ?? 0,
      source_stride: from.stride,
      source_block: from.block,
      source_end: from.end,
      target_stride: to.stride,
      target_block: to.block,
      target_end: to.end,
      scale,
    },
    buffers: { source: args.source, keys, u: epilogue?.u ?? keys, b: epilogue?.b ?? keys, out: args.out },
    grid: linearGrid(count, 32),
  };
}
