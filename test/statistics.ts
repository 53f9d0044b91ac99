/**
 * Statistics shared by the tests of the weight stream. Every test converts its figure to a z-score: its distance from
 * the value for perfect randomness, in standard deviations of its sampling error. For a normal deviate
 * P(|z| > 4) = 6e-5, P(|z| > 5) = 6e-7, P(|z| > 6) = 2e-9.
 */

/** Distribution function of the standard normal. Absolute error below 1.2e-7 (Numerical Recipes, erfc by Chebyshev). */
export function normalCdf(x: number): number {
  const z = Math.abs(x) / Math.SQRT2;
  const t = 1 / (1 + z / 2);
  const coefficients = [
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223,
    0.17087277,
  ];
  const polynomial = coefficients.reduceRight((sum, c) => sum * t + c, 0);
  const tail = (t * Math.exp(polynomial - z * z)) / 2;
  return x < 0 ? tail : 1 - tail;
}

/**
 * z-score of a chi-square statistic, by Wilson and Hilferty's cube root. p is accurate to a few per cent from 3 degrees
 * on.
 */
export function chiSquareZ(statistic: number, degrees: number): number {
  const c = 2 / (9 * degrees);
  return (Math.cbrt(statistic / degrees) - (1 - c)) / Math.sqrt(c);
}

/** z-score of Pearson's test of counts against these probabilities. Cells with probability 0 must be empty. */
export function goodnessOfFit(counts: ArrayLike<number>, probabilities: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < counts.length; i++) {
    total += counts[i]!;
  }
  let statistic = 0;
  let cells = 0;
  for (let i = 0; i < counts.length; i++) {
    const expected = total * probabilities[i]!;
    if (expected > 0) {
      statistic += (counts[i]! - expected) ** 2 / expected;
      cells++;
    } else if (counts[i] !== 0) {
      return Number.POSITIVE_INFINITY;
    }
  }
  return chiSquareZ(statistic, cells - 1);
}

/** A distribution over integers: value and probability. */
export type Probabilities = ReadonlyMap<number, number>;

/** Central moments of a distribution. `fourth` is the mean of the fourth power; kurtosis is the excess over 3. */
export function momentsOf(distribution: Probabilities) {
  const expectation = (f: (value: number) => number) =>
    [...distribution].reduce((sum, [value, probability]) => sum + f(value) * probability, 0);
  const mean = expectation((value) => value);
  const variance = expectation((value) => (value - mean) ** 2);
  const fourth = expectation((value) => (value - mean) ** 4);
  return { mean, variance, fourth, kurtosis: fourth / variance ** 2 - 3 };
}

/** Largest distance between the distribution function of value / deviation and that of the standard normal. */
export function distanceToNormal(distribution: Probabilities, deviation: number): number {
  let below = 0;
  let distance = 0;
  for (const [value, probability] of [...distribution].sort((a, b) => a[0] - b[0])) {
    const expected = normalCdf(value / deviation);
    distance = Math.max(distance, Math.abs(below - expected), Math.abs(below + probability - expected));
    below += probability;
  }
  return distance;
}

/** Values of the Marchenko-Pastur distribution function for aspect ratio = rows / columns <= 1, unit variance. */
export function marchenkoPasturCdf(ratio: number): (x: number) => number {
  const low = (1 - Math.sqrt(ratio)) ** 2;
  const high = (1 + Math.sqrt(ratio)) ** 2;
  const STEPS = 4096;
  // x = low + (high - low) sin^2(angle) removes the square roots at both edges
  const cumulative = new Float64Array(STEPS + 1);
  for (let i = 0; i < STEPS; i++) {
    const angle = ((i + 0.5) / STEPS) * (Math.PI / 2);
    const x = low + (high - low) * Math.sin(angle) ** 2;
    const density = ((high - low) ** 2 * (Math.sin(angle) * Math.cos(angle)) ** 2) / (Math.PI * ratio * x);
    cumulative[i + 1] = cumulative[i]! + density * (Math.PI / 2 / STEPS);
  }
  return (x) => {
    const share = Math.min(Math.max((x - low) / (high - low), 0), 1);
    const at = (Math.asin(Math.sqrt(share)) / (Math.PI / 2)) * STEPS;
    const i = Math.min(Math.floor(at), STEPS - 1);
    return cumulative[i]! + (at - i) * (cumulative[i + 1]! - cumulative[i]!);
  };
}

/** Kolmogorov distance of a sample to a continuous distribution function. */
export function kolmogorovDistance(sample: readonly number[], cdf: (x: number) => number): number {
  const sorted = [...sample].sort((a, b) => a - b);
  return sorted.reduce((distance, x, i) => {
    const expected = cdf(x);
    return Math.max(distance, expected - i / sorted.length, (i + 1) / sorted.length - expected);
  }, 0);
}

/** z-score of the correlation of two sequences of u32, read as uniform numbers of mean (2^32 - 1) / 2. */
export function correlationZ(a: Uint32Array, b: Uint32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    sum += (a[i]! / 2 ** 32 - 0.5) * (b[i]! / 2 ** 32 - 0.5);
  }
  return (12 * sum) / Math.sqrt(a.length);
}

/** Bits set in a u32. */
export function popcount(value: number): number {
  let v = value - ((value >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** The 32 bit planes of words, whose count is a multiple of 32. Plane b holds bit b of every word, 32 per u32. */
export function bitPlanes(words: Uint32Array): Uint32Array[] {
  const planes = Array.from({ length: 32 }, () => new Uint32Array(words.length / 32));
  for (const [b, plane] of planes.entries()) {
    for (let at = 0; at < plane.length; at++) {
      let bits = 0;
      for (let i = 0; i < 32; i++) {
        bits |= ((words[32 * at + i]! >>> b) & 1) << i;
      }
      plane[at] = bits;
    }
  }
  return planes;
}

/** Largest |z| of the 1024 correlations of a bit of `a` with a bit of `b`. */
export function worstBitCorrelation(a: readonly Uint32Array[], b: readonly Uint32Array[]): number {
  let worst = 0;
  for (const first of a) {
    for (const second of b) {
      let different = 0;
      for (let i = 0; i < first.length; i++) {
        different += popcount(first[i]! ^ second[i]!);
      }
      const count = 32 * first.length;
      worst = Math.max(worst, Math.abs(2 * different - count) / Math.sqrt(count));
    }
  }
  return worst;
}

/**
 * z-scores of the Gram matrix of `rows`, whose entries are independent with mean 0, second moment m2 and fourth moment
 * m4 if all is well. Off the diagonal the normalized products g = (a . b) / (m2 * K) have mean 0 and variance 1 / K. On
 * it the squared lengths have mean m2 * K and variance K * (m4 - m2^2). `largest` is max |g| * sqrt(K).
 */
export function gramStatistics(rows: readonly Int8Array[], m2: number, m4: number) {
  const n = rows.length;
  const K = rows[0]!.length;
  const pairs = (n * (n - 1)) / 2;
  let sum = 0;
  let squares = 0;
  let largest = 0;
  let lengths = 0;
  let lengthSquares = 0;
  for (let u = 0; u < n; u++) {
    for (let v = 0; v <= u; v++) {
      const a = rows[u]!;
      const b = rows[v]!;
      let product = 0;
      for (let k = 0; k < K; k++) {
        product += a[k]! * b[k]!;
      }
      if (u === v) {
        lengths += product - m2 * K;
        lengthSquares += (product - m2 * K) ** 2;
      } else {
        const g = product / (m2 * Math.sqrt(K)); // variance 1
        sum += g;
        squares += g * g;
        largest = Math.max(largest, Math.abs(g));
      }
    }
  }
  // squared products that share a row are correlated through that row's length
  const spread = (m4 / (m2 * m2) - 1) / K;
  const varianceOfSquares = (2 + 2 * (n - 2) * spread) / pairs;
  const lengthVariance = K * (m4 - m2 * m2);
  return {
    mean: sum / Math.sqrt(pairs),
    variance: (squares / pairs - 1) / Math.sqrt(varianceOfSquares),
    largest,
    diagonalMean: lengthVariance > 0 ? lengths / Math.sqrt(n * lengthVariance) : lengths,
    diagonalVariance: lengthVariance > 0 ? chiSquareZ(lengthSquares / lengthVariance, n) : lengthSquares,
  };
}
