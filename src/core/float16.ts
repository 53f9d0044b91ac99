/** IEEE 754 half precision (binary16) as 16-bit integers. */

export const LARGEST_HALF = 65504;

/** The bits of the half nearest to a number of at most `LARGEST_HALF`; ties to even. */
export function halfBits(value: number): number {
  const magnitude = Math.abs(value);
  // Below 2^-14 halves are subnormal and evenly spaced. A carry out of the significand correctly increments the
  // exponent.
  const exponent = Math.max(-14, Math.floor(Math.log2(magnitude)));
  const steps = magnitude / 2 ** (exponent - 10);
  const up = Math.round(steps);
  const nearest = up - Number(up - steps === 0.5 && up % 2 === 1);
  return (value < 0 ? 0x8000 : 0) + (exponent + 14) * 1024 + nearest;
}

/** The number that 16 bits represent. Infinity also gives NaN. */
export function halfValue(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const significand = bits & 1023;
  const magnitude = exponent ? (1024 + significand) * 2 ** (exponent - 25) : significand * 2 ** -24;
  return exponent > 30 ? Number.NaN : bits & 0x8000 ? -magnitude : magnitude;
}
