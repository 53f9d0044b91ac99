/** The images with a border of zeros: (rows, top + height + bottom, left + width + right, channels). */
export function padImage(args: {
  rows: number;
  height: number;
  width: number;
  channels: number;
  border: { top: number; bottom: number; left: number; right: number };
  x: ArrayLike<number>;
}): Float64Array {
  const { rows, height, width, channels, border, x } = args;
  const [tall, wide] = [height + border.top + border.bottom, width + border.left + border.right];
  const out = new Float64Array(rows * tall * wide * channels);
  for (let i = 0; i < rows * height * width * channels; i++) {
    const c = i % channels;
    const column = Math.floor(i / channels) % width;
    const line = Math.floor(i / (channels * width)) % height;
    const row = Math.floor(i / (channels * width * height));
    out[((row * tall + line + border.top) * wide + column + border.left) * channels + c] = x[i]!;
  }
  return out;
}
