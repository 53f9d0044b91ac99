/** The form of an imported `.wgsl` file (scripts/wgsl.mjs), and the bindings and parameters read from its code. */
import { ShaderError } from './errors.ts';
import { onDemand } from './on-demand.ts';

export interface KernelSource {
  /** File stem. */
  readonly name: string;
  /** WGSL without comments and unnecessary whitespace. */
  readonly code: string;
  /** Fragments to put before the code, in order; `weights` stands for the distribution's fragment. */
  readonly uses: readonly string[];
}

/** A kernel that few models need: its code is a separate file, fetched when the kernel is first compiled. */
export interface LazySource {
  readonly name: string;
  fetch(): Promise<{ readonly default: KernelSource }>;
}

/** The kernel's source, fetched if it is lazy. */
export const readSource = async (source: KernelSource | LazySource): Promise<KernelSource> =>
  'fetch' in source ? (await onDemand(source.fetch())).default : source;

const atHand = new Map<string, KernelSource>();

/** Makes the source of a lazy kernel available to callers that cannot wait for it. */
export const provideSource = (source: KernelSource): void => {
  atHand.set(source.name, source);
};

/** The source of a kernel without waiting. Throws `ShaderError` for a lazy one that was not provided. */
export function sourceAtHand(source: KernelSource | LazySource): KernelSource {
  if (!('fetch' in source)) return source;
  const found = atHand.get(source.name);
  if (found) return found;
  throw new ShaderError(
    `kernel ${source.name}: expected its source at hand, it is fetched on demand. Call \`prepare\`, which waits for it.`,
  );
}

export interface Binding {
  readonly name: string;
  readonly type: 'uniform' | 'storage' | 'read-only-storage';
}

/**
 * Bindings of group 0, in the order of their numbers. The build verifies with wgsl_reflect that the code has the simple
 * form parsed here.
 */
export const bindingsOf = ({ code }: KernelSource): Binding[] =>
  [...code.matchAll(/@binding\(\d+\)\s*var<(\w+),?\s*(\w*)>\s*(\w+)/g)].map(([, space, access, name]) => ({
    name: name!,
    type: space === 'uniform' ? 'uniform' : access === 'read' ? 'read-only-storage' : 'storage',
  }));

/** Fields of the uniform struct `Params` and their types (u32 or f32), 4 bytes each, contiguous. */
export const paramsOf = ({ code }: KernelSource): string[][] =>
  [...(/struct Params\{([^}]*)/.exec(code)?.[1] ?? '').matchAll(/(\w+):(\w+)/g)].map(([, name, type]) => [
    name!,
    type!,
  ]);
