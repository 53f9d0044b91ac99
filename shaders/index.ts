/**
 * Shader fragments by file stem, as a kernel's `//! use` line names them. A distribution's fragment fills `weights`.
 */
import activation from './activation.wgsl';
import binary from './binary.wgsl';
import half from './half.wgsl';
import linear from './linear.wgsl';
import normal from './normal.wgsl';
import preactivation from './preactivation.wgsl';
import schedule from './schedule.wgsl';
import sparse from './sparse.wgsl';
import stream from './stream.wgsl';
import uniform from './uniform.wgsl';

export const fragments: Readonly<Record<string, { readonly code: string }>> = {
  activation,
  binary,
  half,
  linear,
  normal,
  preactivation,
  schedule,
  sparse,
  stream,
  uniform,
};
