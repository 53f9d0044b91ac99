/** A compute shader as data: what wgsl_reflect reads from it, with sizes and values for its buffers. */
import { type TypeInfo, WgslReflect } from 'wgsl_reflect/wgsl_reflect.module.js';
import { OptionError, ShaderError } from '../../src/core/errors.ts';

export type Scalar = 'f32' | 'f16' | 'u32' | 'i32';

/** Numbers of one type in a buffer. `dims` are nested repetitions, the outermost first. */
export interface Leaf {
  /** Its path in a struct; empty if it is the whole buffer. */
  readonly path: string;
  readonly scalar: Scalar;
  readonly offset: number;
  readonly dims: readonly { readonly count: number; readonly stride: number }[];
}

export interface BufferPlan {
  readonly name: string;
  readonly group: number;
  readonly binding: number;
  readonly kind: 'uniform' | 'read-only-storage' | 'storage';
  readonly bytes: number;
  readonly leaves: readonly Leaf[];
  /** Numbers set by the caller, by path. All others are random. */
  readonly values: Readonly<Record<string, readonly number[]>>;
}

export interface KernelPlan {
  /** How it is called in tables. */
  readonly name: string;
  readonly code: string;
  readonly entry: string;
  readonly grid: readonly [number, number, number];
  readonly constants: Readonly<Record<string, number>>;
  /** Names of the overrides in the code. */
  readonly overrides: readonly string[];
  /** Features that the code enables. */
  readonly features: readonly string[];
  readonly buffers: readonly BufferPlan[];
}

export interface KernelOptions {
  readonly entry?: string;
  readonly grid: readonly [number, number, number];
  /** Elements of runtime-sized arrays, by the name of the variable. */
  readonly sizes: Readonly<Record<string, number>>;
  /** Values by the name of a uniform, or NAME.FIELD of its struct. */
  readonly values: Readonly<Record<string, readonly number[]>>;
  readonly constants: Readonly<Record<string, number>>;
}

const SCALAR_BYTES: Readonly<Record<Scalar, number>> = { f32: 4, u32: 4, i32: 4, f16: 2 };
const isScalar = (name: string): name is Scalar => Object.hasOwn(SCALAR_BYTES, name);
const SHORT: Readonly<Record<string, Scalar>> = { f: 'f32', h: 'f16', u: 'u32', i: 'i32' };

/** What reflection says of a type; the classes of wgsl_reflect differ in which fields they have. */
interface Reflected {
  readonly name: string;
  readonly size: number;
  readonly format?: Reflected | null;
  readonly stride?: number;
  readonly count?: number;
  readonly members?: readonly { readonly name: string; readonly offset: number; readonly type: Reflected }[];
}

/** The numbers of a type at an offset. `runtime` is the length of a runtime-sized array. Throws `ShaderError`. */
function leavesOf(type: Reflected, path: string, offset: number, runtime: number): Leaf[] {
  const { name, format, members } = type;
  if (isScalar(name)) return [{ path, scalar: name, offset, dims: [] }];
  if (name === 'atomic') return leavesOf(format!, path, offset, runtime);
  if (name === 'array') {
    const dim = { count: type.count || runtime, stride: type.stride! };
    return leavesOf(format!, path, offset, 0).map((leaf) => ({ ...leaf, dims: [dim, ...leaf.dims] }));
  }
  if (members) {
    return members.flatMap((member) =>
      leavesOf(member.type, path ? `${path}.${member.name}` : member.name, offset + member.offset, runtime),
    );
  }
  const shape = /^(?:vec(\d)|mat(\d)x(\d))([fhui])?$/.exec(name);
  const scalar = shape?.[4] ? SHORT[shape[4]]! : format?.name;
  if (!shape || !scalar || !isScalar(scalar)) {
    throw new ShaderError(`expected buffers of f32, f16, u32 and i32, got ${name}${format ? `<${format.name}>` : ''}`);
  }
  const [rows, columns] = shape[1] ? [Number(shape[1]), 1] : [Number(shape[3]), Number(shape[2])];
  const bytes = SCALAR_BYTES[scalar];
  const parts = { count: rows, stride: bytes };
  const dims = columns > 1 ? [{ count: columns, stride: bytes * (rows === 3 ? 4 : rows) }, parts] : [parts];
  return [{ path, scalar, offset, dims }];
}

/** How many numbers a leaf has. */
export const countOf = ({ dims }: Pick<Leaf, 'dims'>): number => dims.reduce((all, { count }) => all * count, 1);

/** The array of unknown length at the end of a type. */
function runtimeArray(type: Reflected): Reflected | undefined {
  const last = type.members ? type.members.at(-1)?.type : type;
  return last?.name === 'array' && !last.count ? last : undefined;
}

const KINDS = { read: 'read-only-storage', write: 'storage', read_write: 'storage' } as const;
const FEATURES: Readonly<Record<string, string>> = { f16: 'shader-f16', subgroups: 'subgroups' };

/** Throws `ShaderError` for code that cannot be read or bound, `OptionError` for a missing or unknown option. */
export function planKernel(name: string, code: string, options: KernelOptions): KernelPlan {
  const reflected = reflect(name, code);
  const entries = reflected.entry.compute;
  const entry = entries.find((one) => !options.entry || one.name === options.entry);
  if (!entry || (entries.length > 1 && !options.entry)) {
    const names = entries.map((one) => one.name).join(', ') || 'none';
    if (!entries.length) throw new ShaderError(`${name}: expected a @compute entry point, got none`);
    throw new OptionError(`${name}: expected --entry to be one of ${names}; got ${options.entry ?? 'nothing'}`);
  }
  const used = new Set(entry.resources.map((one) => one.name));
  const variables = [...reflected.uniforms, ...reflected.storage].filter((one) => used.has(one.name));
  const textures = [...reflected.textures, ...reflected.samplers, ...reflected.storage.filter(isTexture)];
  const texture = textures.find((one) => used.has(one.name));
  if (texture) throw new ShaderError(`${name}: expected only buffers, got ${texture.name}, a texture or a sampler`);
  const buffers = variables.map((one): BufferPlan => {
    const type = one.type as unknown as Reflected;
    const runtime = runtimeArray(type);
    const size = options.sizes[one.name];
    if (runtime && !size) {
      throw new OptionError(
        `${name}: expected --size ${one.name}=ELEMENTS, because its array has no length in the code`,
      );
    }
    if (!runtime && size) throw new OptionError(`${name}: --size ${one.name}: its length is in the code`);
    const uniform = one.resourceType === 0;
    const leaves = leavesOf(type, '', 0, size ?? 0);
    const bytes = type.size + (runtime ? size! * runtime.stride! : 0);
    const values = valuesOf(name, one.name, leaves, options.values, uniform);
    const kind = uniform ? 'uniform' : KINDS[(one.access || 'read') as keyof typeof KINDS];
    return {
      name: one.name,
      group: one.group,
      binding: one.binding,
      kind,
      bytes: Math.ceil(bytes / 16) * 16,
      leaves,
      values,
    };
  });
  const overrides = reflected.overrides.map((one) => one.name);
  return {
    name,
    code,
    entry: entry.name,
    grid: options.grid,
    constants: Object.fromEntries(
      Object.entries(options.constants).filter(([constant]) => overrides.includes(constant)),
    ),
    overrides,
    features: [...code.matchAll(/^\s*enable\s+([\w\s,]+);/gm)].flatMap(([, names]) =>
      names!.split(',').map((one) => FEATURES[one.trim()] ?? one.trim()),
    ),
    buffers,
  };
}

const isTexture = ({ type }: { type: TypeInfo }) => type.name.startsWith('texture');

function reflect(name: string, code: string): WgslReflect {
  try {
    return new WgslReflect(code);
  } catch (error) {
    throw new ShaderError(`${name}: expected WGSL: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const keyOf = ({ name }: { name: string }, { path }: Leaf) => (path ? `${name}.${path}` : name);

/** The values that are set for a buffer. A uniform needs all of its: random sizes would make no sense. */
function valuesOf(
  file: string,
  name: string,
  leaves: readonly Leaf[],
  given: KernelOptions['values'],
  all: boolean,
): Record<string, readonly number[]> {
  const values: Record<string, readonly number[]> = {};
  for (const leaf of leaves) {
    const key = keyOf({ name }, leaf);
    const found = given[key];
    const count = countOf(leaf);
    if (!found && all) {
      const form = count > 1 ? `${count} numbers, separated by commas` : 'NUMBER';
      throw new OptionError(`${file}: expected --set ${key}=${form}, because it is a uniform (${leaf.scalar})`);
    }
    if (!found) continue;
    if (found.length !== count) {
      throw new OptionError(`${file}: --set ${key}: expected ${count} numbers, got ${found.length}`);
    }
    values[leaf.path] = found;
  }
  return values;
}

/** Throws `OptionError` for an option that no kernel has a use for. */
export function expectUsed(plans: readonly KernelPlan[], { sizes, values, constants }: KernelOptions): void {
  const buffers = plans.flatMap((plan) => plan.buffers);
  const used: [option: string, names: string[], known: string[]][] = [
    ['--size', Object.keys(sizes), buffers.map(({ name }) => name)],
    ['--set', Object.keys(values), buffers.flatMap((buffer) => buffer.leaves.map((leaf) => keyOf(buffer, leaf)))],
    ['--constant', Object.keys(constants), plans.flatMap(({ overrides }) => overrides)],
  ];
  for (const [option, names, known] of used) {
    const unknown = names.find((name) => !known.includes(name));
    if (unknown === undefined) continue;
    const expected = [...new Set(known)].join(', ') || 'none, because the code has none';
    throw new OptionError(`${option} ${unknown}: expected one of ${expected}`);
  }
}
