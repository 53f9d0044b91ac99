import { describe, expect, it } from 'vitest';
import { integerWeights, weightScale } from '../src/weights/distributions.ts';
import { numbers } from './kernels/harness.ts';
import { kolmogorovDistance, normalCdf } from './statistics.ts';

const matrix = (seed: number, k: number, n: number, distribution: 'orthogonal' | 'normal') =>
  integerWeights({ seed, tensor: 0, distribution }, [0, k], [0, n], k);

describe('orthogonal', () => {
  it.each([128, 256, 512])('has rows and columns at right angles, exactly, within a block of %i', (p) => {
    const w = matrix(3, p, p, 'orthogonal');
    for (const step of [1, p] as const) {
      for (let i = 0; i < p; i += 7) {
        for (let j = 0; j <= i; j++) {
          let product = 0;
          const other = step === 1 ? p : 1;
          for (let t = 0; t < p; t++) product += w[i * other + t * step]! * w[j * other + t * step]!;
          expect(product).toBe(i === j ? p ** 3 : 0);
        }
      }
    }
  });

  it('has blocks that do not know of one another', () => {
    const p = 256;
    const w = matrix(4, p, 2 * p, 'orthogonal');
    let energy = 0;
    for (let i = 0; i < p; i++) {
      for (let j = 0; j < p; j++) {
        let product = 0;
        for (let t = 0; t < p; t++) product += w[t * 2 * p + i]! * w[t * 2 * p + p + j]!;
        energy += (product / p ** 3) ** 2;
      }
    }
    // Two orthogonal matrices always have products whose squares add up to p: that they are spread is what is looked at.
    expect(energy).toBeCloseTo(p, 6);
    expect(Math.max(...Array.from({ length: p }, (_, i) => Math.abs(w[i]!)))).toBeLessThan(6 * p);
  });

  it('has entries distributed nearly as a normal variable', () => {
    const p = 1024;
    const values = [11, 12, 13, 14].flatMap((seed) => Array.from(matrix(seed, p, 64, 'orthogonal'), (v) => v / p));
    const moment = (power: number) => values.reduce((sum, v) => sum + v ** power, 0) / values.length;
    const distance = kolmogorovDistance(values, normalCdf);
    const kurtosis = moment(4) / moment(2) ** 2 - 3;
    console.log(`orthogonal: Kolmogorov distance ${distance.toFixed(4)}, excess kurtosis ${kurtosis.toFixed(4)}`);
    expect(moment(2)).toBeCloseTo(1, 9); // whole rows: exactly
    expect(Math.abs(moment(1))).toBeLessThan(0.01);
    expect(Math.abs(kurtosis)).toBeLessThan(0.05);
    expect(distance).toBeLessThan(0.012);
  });

  it('keeps distances better than normal weights do', () => {
    const [k, n] = [784, 1024];
    const errors = (['orthogonal', 'normal'] as const).map((distribution) => {
      const w = matrix(21, k, n, distribution);
      const scale = weightScale(distribution, k);
      let sum = 0;
      const count = 100;
      for (let i = 0; i < count; i++) {
        const x = numbers(k, i);
        const z = new Float64Array(n);
        for (let l = 0; l < k; l++) for (let unit = 0; unit < n; unit++) z[unit]! += scale * w[l * n + unit]! * x[l]!;
        const energy = (v: ArrayLike<number>) => Array.from(v).reduce((total, value) => total + value * value, 0);
        sum += (energy(z) / n / (energy(x) / k) - 1) ** 2;
      }
      return Math.sqrt(sum / count);
    });
    console.log(`relative error of squared lengths, rms, 784 to 1024: orthogonal ${errors[0]}, normal ${errors[1]}`);
    expect(errors[0]).toBeLessThan(1e-6); // a whole block: the columns are orthogonal, so lengths are kept
    expect(errors[1]).toBeLessThan(0.06);
    expect(errors[1]).toBeGreaterThan(0.02); // sqrt(2 / n) is 0.044
  });
});
