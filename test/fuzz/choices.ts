/** A fuzz case as a list of numbers that decide everything. It is cheap to make, and fast-check can shrink it. */
export class Choices {
  readonly #numbers: readonly number[];
  #next = 0;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  /** A number from 0 to `end` - 1. Always 0 once the list is used up, so that every case terminates. */
  below(end: number): number {
    return (this.#numbers[this.#next++] ?? 0) % end;
  }

  of<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  /** A list of at most `most` results of `make`. */
  list<T>(most: number, make: () => T): T[] {
    return Array.from({ length: this.below(most + 1) }, make);
  }
}

/** Runs a case. It must return or throw a named error; anything else is a defect. */
export type Target = (choices: Choices) => void | Promise<void>;

/** Thrown if a case should have been rejected, or gave a wrong result. */
export class Wrong extends Error {}

/** Numbers that tend to break code. */
export const edges = [
  0,
  1,
  -1,
  2,
  3,
  7,
  0.5,
  255,
  2 ** 16,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32,
  2 ** 53 - 1,
  2 ** 53,
  1e308,
  -1e9,
] as const;

/** Values that tend to break code that reads JSON. */
const values = (): readonly unknown[] => [
  // a new array per call, because cases modify their values
  ...edges,
  null,
  true,
  false,
  '',
  '__proto__',
  'constructor',
  'NaN',
  '-0',
  '1e999',
  '\u0000',
  'F16',
  'F32',
  'I8',
  'half',
  'residual',
  'toString',
  [],
  {},
  [[]],
  [0, 0],
  [4, 4],
  [-4, 0],
  [1e9, 2e9],
  [1, 2, 3, 4, 5, 6, 7, 8, 9],
  { kind: 'residual', layers: [{ kind: 'residual', layers: [] }] },
  { kind: 'dense', units: 3, activation: 'relu' },
];

/** Modifies a JSON value in place somewhere: replaces, removes, adds or copies. */
export function disturb(choices: Choices, root: unknown): unknown {
  let at = root;
  for (;;) {
    if (typeof at !== 'object' || at === null) return choices.of(values());
    const holder = at as Record<string, unknown>;
    const keys = Object.keys(holder);
    if (keys.length === 0) return choices.of(values());
    const key = choices.of(keys);
    const inner = holder[key];
    if (typeof inner === 'object' && inner !== null && !ArrayBuffer.isView(inner) && choices.below(4) > 0) {
      at = inner;
      continue;
    }
    // Strings that contain JSON (layers, input) are modified inside.
    if (typeof inner === 'string' && /^[[{]/.test(inner) && choices.below(4) > 0) {
      const parsed = JSON.parse(inner);
      disturb(choices, parsed);
      holder[key] = JSON.stringify(parsed);
      return root;
    }
    const how = choices.below(8);
    if (how === 0) delete holder[key];
    else if (how === 1) holder[choices.of(['extra', 'layers.0.u', 'units', 'toString', key])] = choices.of(values());
    else if (how === 2) holder[key] = structuredClone(holder[choices.of(keys)]);
    else if (how === 3 && typeof inner === 'number') holder[key] = inner + choices.of([1, -1, 4, -4, 0.5]);
    else if (how === 4 && Array.isArray(at)) at.push(structuredClone(at[0]));
    else holder[key] = choices.of(values());
    return root;
  }
}

/** Modifies bytes: sets, cuts, inserts or duplicates some. */
export function damage(choices: Choices, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  let made = Uint8Array.from(bytes);
  const times = 1 + choices.below(4);
  for (let i = 0; i < times; i++) {
    const at = choices.below(made.length + 1);
    switch (choices.below(6)) {
      case 0:
        made = made.slice(0, at);
        break;
      case 1:
        made = Uint8Array.from([...made.subarray(0, at), choices.below(256), ...made.subarray(at)]);
        break;
      case 2:
        made = Uint8Array.from([...made, ...made.subarray(at)]);
        break;
      default:
        // Favours the front, where the headers are.
        if (made.length)
          made[choices.below(2) ? at % made.length : at % Math.min(32, made.length)] = choices.of([
            0,
            255,
            127,
            128,
            choices.below(256),
          ]);
    }
  }
  return made;
}
