/** Parses AMD assembly into basic blocks and loops. */

export interface Instruction {
  /** Mnemonic without its encoding suffix (_e32, _sdwa). */
  readonly op: string;
  readonly operands: readonly string[];
  /** The second half of a dual-issued instruction of RDNA3. */
  readonly dual?: string;
}

export interface Block {
  readonly code: readonly Instruction[];
  /** Indices of the possible next blocks. If there are two, the second is the branch target. */
  readonly next: readonly number[];
}

export interface Loop {
  /** Index of the loop's first block. */
  readonly head: number;
  /** All blocks of the loop, inner loops included. */
  readonly blocks: ReadonlySet<number>;
  readonly inner: Loop[];
  outer?: Loop;
}

const mnemonic = (text: string) => text.replace(/_(e32|e64|e64_dpp|sdwa|dpp|dpp8)$/, '');
const target = ({ op, operands }: Instruction) => (/^s_c?branch/.test(op) ? operands[0] : undefined);

function instruction(line: string): Instruction {
  const [first, second] = line.split(/\s*::\s*/);
  const [op = '', ...rest] = first!.split(/\s+/);
  const operands = rest.join(' ').split(/\s*,\s*/);
  return { op: mnemonic(op), operands, ...(second && { dual: mnemonic(second.split(/\s/)[0]!) }) };
}

/**
 * Instructions that LLVM's disassembler fails to decode: scalar loads into s[104:107], which overlap vcc. They have two
 * words. The disassembler takes the second word for another instruction, which must be skipped.
 */
function unread(encoding: string): Instruction {
  if (Number.parseInt(encoding.slice(0, 8), 16) >>> 26 !== 0b111101) {
    throw new Error(`expected assembly that the disassembler can read, got the word '${encoding}'`);
  }
  return { op: 's_buffer_load', operands: [] };
}

/** Blocks in the order of the text. A branch, or the next label, ends a block. */
export function blocksOf(assembly: string): Block[] {
  const at = new Map<string, number>();
  const codes: Instruction[][] = [[]];
  let skip = false;
  for (const raw of assembly.split('\n')) {
    const [line, encoding] = raw.split(';').map((text) => text.trim()) as [string, string?];
    if (!line) continue;
    if (skip || line.startsWith('(invalid')) {
      if (!skip) codes.at(-1)!.push(unread(encoding ?? ''));
      skip = !skip;
      continue;
    }
    const label = /^(\w+):$/.exec(line)?.[1];
    if (label && codes.at(-1)!.length) codes.push([]);
    if (label) {
      at.set(label, codes.length - 1);
      continue;
    }
    const made = instruction(line);
    codes.at(-1)!.push(made);
    if (target(made) || made.op === 's_endpgm') codes.push([]);
  }
  return codes.map((code, i) => {
    const last = code.at(-1);
    const goes = last && target(last);
    const falls = i + 1 < codes.length && last?.op !== 's_branch' && last?.op !== 's_endpgm';
    return { code, next: [...(falls ? [i + 1] : []), ...(goes ? [at.get(goes)!] : [])] };
  });
}

/** For each block, the blocks that lie on every path from the first block to it. */
export function dominators(blocks: readonly Block[]): ReadonlySet<number>[] {
  const before: number[][] = blocks.map(() => []);
  for (const [i, { next }] of blocks.entries()) for (const one of next) before[one]!.push(i);
  const all = new Set(blocks.keys());
  const found = blocks.map((_, i) => (i === 0 ? new Set([0]) : all));
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = 1; i < blocks.length; i++) {
      if (before[i]!.length === 0) continue; // unreachable
      const [first, ...others] = before[i]!.map((one) => found[one]!);
      const made = new Set([...first!].filter((one) => others.every((other) => other.has(one)))).add(i);
      if (made.size !== found[i]!.size) changed = true;
      found[i] = made;
    }
  }
  return found;
}

/** All loops, outermost first. Back edges into the same block form one loop. */
export function loopsOf(blocks: readonly Block[], dominated: readonly ReadonlySet<number>[]): Loop[] {
  const bodies = new Map<number, Set<number>>();
  for (const [from, { next }] of blocks.entries()) {
    for (const head of next.filter((one) => dominated[from]!.has(one))) {
      const body = bodies.get(head) ?? new Set([head]);
      bodies.set(head, body);
      for (const waiting = [from]; waiting.length; ) {
        const one = waiting.pop()!;
        if (body.has(one)) continue;
        body.add(one);
        for (const [i, block] of blocks.entries()) if (block.next.includes(one)) waiting.push(i);
      }
    }
  }
  const loops = [...bodies]
    .map(([head, body]): Loop => ({ head, blocks: body, inner: [] }))
    .sort((a, b) => b.blocks.size - a.blocks.size);
  for (const [i, loop] of loops.entries()) {
    const outer = loops.slice(0, i).findLast(({ blocks }) => blocks.has(loop.head));
    if (!outer) continue;
    loop.outer = outer;
    outer.inner.push(loop);
  }
  return loops;
}
