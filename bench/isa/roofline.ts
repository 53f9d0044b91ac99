/** When regenerating a weight beats reading it: lane cycles against memory bytes, on GPUs of three classes. */
import Table from 'cli-table3';
import { figure } from '../format.ts';
import type { IsaRow } from './rows.ts';

export interface GpuClass {
  readonly name: string;
  /** Peak rate of f32 FMAs: 10^12 lane cycles per second, half of the TFLOPS in data sheets. */
  readonly laneCycles: number;
  /** Peak memory bandwidth, 10^9 bytes per second. */
  readonly gbps: number;
}

/** From data sheets: 1.69 TFLOPS and LPDDR4x-4266, 2.6 TFLOPS and LPDDR4x-4266, 16.17 TFLOPS and 256 bits of GDDR6. */
export const GPU_CLASSES: readonly GpuClass[] = [
  { name: 'Intel Iris Xe 96 EU', laneCycles: 0.845, gbps: 68 },
  { name: 'Apple M1, 8 cores', laneCycles: 1.3, gbps: 68 },
  { name: 'AMD Radeon RX 6800', laneCycles: 8.08, gbps: 512 },
];

/** Bytes per stored weight. */
export const STORED = { f32: 4, f16: 2, int8: 1, '1-bit': 1 / 8 } as const;

/** Below this many cycles per multiply-accumulate, regenerating weights for one row is faster than reading them. */
export const breakEven = ({ laneCycles, gbps }: GpuClass, bytesPerWeight: number): number =>
  (1000 * laneCycles * bytesPerWeight) / gbps;

/** Our kernels for one row in the machine-code table. The chip's instructions stand in for the other classes. */
const ONE_ROW = [
  { kernel: 'random_matmul_rows', weights: ['normal', 'uniform', 'sparse'], formats: ['f32', 'f16', 'int8'] },
  { kernel: 'random_matmul_sign_sums', weights: ['binary'], formats: ['f32', '1-bit'] },
] as const;

/** The bound on each kernel's speed relative to reading; below 1, reading wins. One line per kernel and format. */
export function roofline(rows: readonly IsaRow[], chip: string): string {
  const table = new Table({
    head: ['at one row', 'cycles/MAC', 'against stored', ...GPU_CLASSES.map(({ name }) => name)],
    style: { head: [], border: [], compact: true },
  });
  for (const { kernel, weights, formats } of ONE_ROW) {
    for (const name of weights) {
      const row = rows.find(
        (one) => one.gpu === chip && one.kernel === kernel && one.weights === name && one.constants.SLICES === 8,
      );
      if (!row || 'error' in row || !row.cyclesPerMac) continue;
      const cycles = row.cyclesPerMac;
      for (const format of formats) {
        const times = GPU_CLASSES.map((gpu) => `${figure(breakEven(gpu, STORED[format]) / cycles)} x`);
        table.push([`${kernel} ${name}`, figure(cycles), format, ...times]);
      }
    }
  }
  return table.length ? `\nmaking weights against reading them (peaks of data sheets), ${chip}\n${table}` : '';
}
