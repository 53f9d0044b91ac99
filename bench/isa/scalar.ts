/** Tracks the scalar registers of a wave that depend only on constants, such as loop counters. */
import type { Instruction } from './assembly.ts';

type Value = number | undefined;

const COMPARE: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  lt: (a, b) => a < b,
  le: (a, b) => a <= b,
  gt: (a, b) => a > b,
  ge: (a, b) => a >= b,
  eq: (a, b) => a === b,
  lg: (a, b) => a !== b,
};

/** Functions of two operands, and whether scc is set to "result is not zero". */
const BINARY: Readonly<Record<string, readonly [(a: number, b: number) => number, boolean]>> = {
  s_add_u32: [(a, b) => a + b, false],
  s_add_i32: [(a, b) => a + b, false],
  s_sub_u32: [(a, b) => a - b, false],
  s_sub_i32: [(a, b) => a - b, false],
  s_lshl_b32: [(a, b) => a << (b & 31), true],
  s_lshr_b32: [(a, b) => a >>> (b & 31), true],
  s_ashr_i32: [(a, b) => a >> (b & 31), true],
  s_and_b32: [(a, b) => a & b, true],
  s_or_b32: [(a, b) => a | b, true],
  s_xor_b32: [(a, b) => a ^ b, true],
  s_andn2_b32: [(a, b) => a & ~b, true],
  s_and_not1_b32: [(a, b) => a & ~b, true], // its name on RDNA3
  s_bfe_u32: [(a, b) => (a >>> (b & 31)) & (2 ** Math.min((b >>> 16) & 127, 32) - 1), true],
};

/** Scalar instructions that are not computed here but leave scc unchanged. */
const KEEPS_SCC =
  /^s_(mov|cmov|load|buffer_load|waitcnt|clause|nop|barrier|cselect|brev|sext|pack|inst_prefetch|set|sleep|delay)/;

/** Registers that an operand spans: s4, s[4:5], vcc. */
function registers(operand = ''): string[] {
  const range = /^s\[(\d+):(\d+)\]$/.exec(operand);
  if (!range) return operand === 'vcc' ? ['vcc_lo', 'vcc_hi'] : [operand];
  const [first, last] = [Number(range[1]), Number(range[2])];
  return Array.from({ length: last - first + 1 }, (_, i) => `s${first + i}`);
}

export class Scalars {
  /** Values by register name. Spilled scalar registers are stored by vector register and lane. */
  readonly #known = new Map<string, number>();
  /** The condition that branches test, if known. */
  scc: boolean | undefined;

  #read(operand: string | undefined): Value {
    if (operand === undefined) return undefined;
    return /^-?(0x[0-9a-f]+|\d+)$/.test(operand) ? Number(operand) | 0 : this.#known.get(operand);
  }

  #write(register: string | undefined, value: Value): void {
    if (value === undefined) this.#known.delete(register ?? '');
    else this.#known.set(register ?? '', value | 0);
  }

  run({ op, operands }: Instruction): void {
    const [to, a, b] = operands;
    const [x, y] = [this.#read(a), this.#read(b)];
    const compare = /^s_cmpk?_(lt|le|gt|ge|eq|lg)_([iu])32$/.exec(op);
    const binary = BINARY[op];
    if (compare) {
      const first = this.#read(to);
      const cast = (value: number) => (compare[2] === 'u' ? value >>> 0 : value);
      this.scc = first === undefined || x === undefined ? undefined : COMPARE[compare[1]!]!(cast(first), cast(x));
    } else if (/^s_(cmp|bitcmp)/.test(op)) {
      this.scc = undefined;
    } else if (op === 's_mov_b32' || op === 's_movk_i32') {
      this.#write(to, x);
    } else if (op === 's_mov_b64') {
      const [low, high] = registers(a);
      const values = high === undefined ? [x, x === undefined ? x : x >> 31] : [this.#read(low), this.#read(high)];
      for (const [i, register] of registers(to).entries()) this.#write(register, values[i]);
    } else if (op === 's_addk_i32') {
      const value = this.#read(to);
      this.#write(to, value === undefined || x === undefined ? undefined : value + x);
      this.scc = undefined;
    } else if (op === 's_mul_i32') {
      this.#write(to, x === undefined || y === undefined ? undefined : Math.imul(x, y));
    } else if (binary) {
      const value = x === undefined || y === undefined ? undefined : binary[0](x, y) | 0;
      this.#write(to, value);
      this.scc = value !== undefined && binary[1] ? value !== 0 : undefined;
    } else if (op === 'v_writelane_b32') {
      this.#write(`${to} ${b}`, x);
    } else if (op === 'v_readlane_b32') {
      this.#write(to, this.#known.get(`${a} ${b}`));
    } else {
      if (op.startsWith('s_') && !/^s_c?branch/.test(op) && !KEEPS_SCC.test(op)) this.scc = undefined;
      // Vector instructions write scalar registers too: comparisons, v_readfirstlane, carries.
      for (const operand of op.startsWith('v_') ? [to, a] : [to])
        for (const register of registers(operand)) this.#write(register, undefined);
    }
  }
}
