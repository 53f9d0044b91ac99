/**
 * Shader fragments by file stem, as a kernel's `//! use` line names them. A distribution's fragment fills `weights`;
 * those that few models need are fetched when a kernel is first compiled with them.
 */
import type { KernelSource, LazySource } from '../src/core/kernel-source.ts';
import type { ElementwiseName } from '../src/weights/distributions.ts';
import activation from './activation.wgsl';
import binary from './binary.wgsl';
import half from './half.wgsl';
import linear from './linear.wgsl';
import normal from './normal.wgsl';
import preactivation from './preactivation.wgsl';
import schedule from './schedule.wgsl';
import stream from './stream.wgsl';

type Fragment = KernelSource | LazySource;

const weights: { readonly [D in ElementwiseName]: Fragment } = {
  normal,
  binary,
  uniform: { name: 'uniform', fetch: () => import('./uniform.wgsl') },
  sparse: { name: 'sparse', fetch: () => import('./sparse.wgsl') },
  codeword: { name: 'codeword', fetch: () => import('./codeword.wgsl') },
};

export const fragments: Readonly<Record<string, Fragment>> = {
  ...weights,
  activation,
  half,
  linear,
  preactivation,
  schedule,
  stream,
};
