/** A limit as docs/trust.md writes it: bytes in KiB, MiB or GiB, shares in percent, counts with separators. */
export function limitText(name: string, value: number): string {
  if (/bytes$|^jsonLine$/i.test(name)) {
    const units = [
      [2 ** 30, 'GiB'],
      [2 ** 20, 'MiB'],
      [2 ** 10, 'KiB'],
    ] as const;
    const [size, unit] = units.find(([size]) => value >= size)!;
    return `${value / size} ${unit}`;
  }
  if (value < 1) return `${100 * value}%`;
  return value > 1e20 ? value.toExponential().replace('+', '') : value.toLocaleString('en-US');
}
