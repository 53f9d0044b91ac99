/** Lowerings of the solvers. */
import { size } from '../../graph/value.ts';
import { bound, type LoweringTable } from './lowering.ts';

/** Rows that the kernel packs at a time (wasm/memory.ts). */
const DEPTH = 256;

export const solve: LoweringTable<'solve'> = {
  gram({ x, g }, { machine, place }) {
    const [m, n] = [size(x, 0), size(x, 1)];
    const panels = machine.allocate(4 * Math.min(m, DEPTH) * Math.ceil(n / 8) * 8);
    return bound(machine.kernels.gram, place(x), m, n, panels, place(g));
  },
};
