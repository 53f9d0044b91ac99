/** What a `.wgsl` file becomes when it is imported (scripts/wgsl.mjs): its code, and what the code says of itself. */
export interface KernelSource {
  /** File stem. */
  readonly name: string;
  /** WGSL without comments. */
  readonly code: string;
  /** Fragments that go in front of it, in order; `weights` is that of the distribution. */
  readonly uses: readonly string[];
  /** Bindings of group 0; the position is the binding number. */
  readonly bindings: readonly (readonly [name: string, type: 'uniform' | 'storage' | 'read-only-storage'])[];
  /** Fields of the uniform struct `Params`, all 32-bit scalars one behind the other. */
  readonly params: readonly (readonly [name: string, type: 'u32' | 'i32' | 'f32'])[];
}
