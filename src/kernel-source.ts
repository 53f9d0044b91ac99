/** What a `.wgsl` file becomes when it is imported. */
export interface KernelSource {
  readonly name: string;
  readonly code: string;
  readonly uses: readonly string[];
  readonly bindings: readonly { readonly name: string; readonly type: 'uniform' | 'storage' | 'read-only-storage' }[];
  readonly params: readonly { readonly name: string; readonly type: 'u32' | 'i32' | 'f32'; readonly offset: number }[];
  readonly paramsBytes: number;
  readonly overrides: readonly string[];
  readonly workgroupSize: readonly [number, number, number];
}
