/** One kernel launch as plain data. A kernel's .ts makes it from shapes; a plan or a caller says what a buffer is. */
import type { KernelSource, LaterSource } from '../src/core/kernel-source.ts';
import type { ElementwiseName } from '../src/weights/distributions.ts';

export interface Dispatch<Buffer> {
  readonly source: KernelSource | LaterSource;
  /** Fills the `weights` slot of the kernel's fragments. */
  readonly weights?: ElementwiseName;
  /** Values of the kernel's override constants. */
  readonly constants?: Readonly<Record<string, number>>;
  /** Values of the fields of the kernel's `Params` struct. */
  readonly params: Readonly<Record<string, number>>;
  /** A buffer for every binding but `params`, by the name that the WGSL gives it. */
  readonly buffers: Readonly<Record<string, Buffer>>;
  /** Workgroups in x, y, z. */
  readonly grid: readonly [number, number, number];
}

/** WebGPU's default limit of workgroups a dimension; every device has at least this. */
const MAX_WORKGROUPS = 65535;

/**
 * Grid of a kernel with one invocation an element, folded into two dimensions where one would pass the limit. The kernel
 * takes element `id.x + id.y * num_workgroups.x * workgroup_size` and leaves those from `count` on alone.
 */
export function linearGrid(count: number, workgroupSize: number): [number, number, number] {
  return [...fold(count, workgroupSize), 1];
}

/** The two dimensions of such a fold. */
export function fold(count: number, workgroupSize: number): [number, number] {
  const groups = Math.max(1, Math.ceil(count / workgroupSize));
  const rows = Math.ceil(groups / MAX_WORKGROUPS);
  return [Math.ceil(groups / rows), rows];
}
