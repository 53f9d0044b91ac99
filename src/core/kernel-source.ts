/** What a `.wgsl` file becomes when it is imported (scripts/wgsl.mjs), and what its code says of itself. */
export interface KernelSource {
  /** File stem. */
  readonly name: string;
  /** WGSL without comments and needless blanks. */
  readonly code: string;
  /** Fragments that go in front of it, in order; `weights` is that of the distribution. */
  readonly uses: readonly string[];
}

/** A kernel that few models need: its text is a file of its own, fetched when it is first compiled. */
export interface LaterSource {
  readonly name: string;
  fetch(): Promise<{ readonly default: KernelSource }>;
}

/** A kernel's text, fetched where it has to be. */
export const readSource = async (source: KernelSource | LaterSource): Promise<KernelSource> =>
  'fetch' in source ? (await source.fetch()).default : source;

export interface Binding {
  readonly name: string;
  readonly type: 'uniform' | 'storage' | 'read-only-storage';
}

/**
 * Bindings of group 0; the position is the binding number. The build has checked by wgsl_reflect that the code has the plain
 * form that is read here.
 */
export const bindingsOf = ({ code }: KernelSource): Binding[] =>
  [...code.matchAll(/@binding\(\d+\)\s*var<(\w+),?\s*(\w*)>\s*(\w+)/g)].map(([, space, access, name]) => ({
    name: name!,
    type: space === 'uniform' ? 'uniform' : access === 'read' ? 'read-only-storage' : 'storage',
  }));

/** Fields of the uniform struct `Params` with their types (u32 or f32), 4 bytes each, one behind the other. */
export const paramsOf = ({ code }: KernelSource): string[][] =>
  [...(/struct Params\{([^}]*)/.exec(code)?.[1] ?? '').matchAll(/(\w+):(\w+)/g)].map(([, name, type]) => [
    name!,
    type!,
  ]);
