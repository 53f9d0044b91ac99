/** Grey pictures: what the command line makes of a PNG, and a page of a canvas. */

export interface Grey {
  readonly width: number;
  readonly height: number;
  /** (height, width) from 0 to 1. */
  readonly grey: Float32Array<ArrayBuffer>;
}

/** Mean of the outermost pixels. */
export function borderMean({ width, height, grey }: Grey): number {
  let sum = 0;
  let count = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (x > 0 && y > 0 && x < width - 1 && y < height - 1) continue;
      sum += grey[y * width + x]!;
      count++;
    }
  }
  return sum / count;
}

/** Mean over the area that each target pixel covers. */
export function resample({ width, height, grey }: Grey, toWidth: number, toHeight: number): Grey {
  const out = new Float32Array(toWidth * toHeight);
  for (let y = 0; y < toHeight; y++) {
    for (let x = 0; x < toWidth; x++) {
      const [x0, x1] = [(x * width) / toWidth, ((x + 1) * width) / toWidth];
      const [y0, y1] = [(y * height) / toHeight, ((y + 1) * height) / toHeight];
      let sum = 0;
      for (let sy = Math.floor(y0); sy < y1; sy++) {
        const tall = Math.min(sy + 1, y1) - Math.max(sy, y0);
        for (let sx = Math.floor(x0); sx < x1; sx++) {
          const wide = Math.min(sx + 1, x1) - Math.max(sx, x0);
          sum += tall * wide * grey[Math.min(sy, height - 1) * width + Math.min(sx, width - 1)]!;
        }
      }
      out[y * toWidth + x] = sum / ((x1 - x0) * (y1 - y0));
    }
  }
  return { width: toWidth, height: toHeight, grey: out };
}
