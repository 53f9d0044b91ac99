/** One kernel launch as plain data. The kernel's .ts file builds it from shapes; the caller chooses the buffer type. */
import type { KernelSource, LazySource } from '../src/core/kernel-source.ts';
import type { ElementwiseName } from '../src/weights/distributions.ts';

export interface Dispatch<Buffer> {
  readonly source: KernelSource | LazySource;
  /** The distribution that fills the `weights` slot of the kernel's fragments. */
  readonly weights?: ElementwiseName;
  /** Values of the kernel's override constants. */
  readonly constants?: Readonly<Record<string, number>>;
  /** Values of the fields of the kernel's `Params` struct. */
  readonly params: Readonly<Record<string, number>>;
  /** One buffer for every binding except `params`, by its WGSL name. */
  readonly buffers: Readonly<Record<string, Buffer>>;
  /** Workgroups in x, y, z. */
  readonly grid: readonly [number, number, number];
}

/** WebGPU's default limit of workgroups per dimension; every device supports at least this. */
export const MAX_WORKGROUPS = 65535;

/** Whether every device can launch them. */
export const withinGrid = (dispatches: readonly Pick<Dispatch<unknown>, 'grid'>[]): boolean =>
  dispatches.every(({ grid }) => grid.every((groups) => groups <= MAX_WORKGROUPS));

/**
 * Grid of a kernel with one invocation per element, folded into two dimensions if one would exceed the limit.
 * The kernel computes element `id.x + id.y * num_workgroups.x * workgroup_size` and skips those from `count` on.
 */
export function linearGrid(count: number, workgroupSize: number): [number, number, number] {
  return [...fold(count, workgroupSize), 1];
}

/** The two dimensions of such a folded grid. */
export function fold(count: number, workgroupSize: number): [number, number] {
  const groups = Math.max(1, Math.ceil(count / workgroupSize));
  const rows = Math.ceil(groups / MAX_WORKGROUPS);
  return [Math.ceil(groups / rows), rows];
}
