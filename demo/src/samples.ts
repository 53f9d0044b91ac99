/** A row of test images under the scores: one strip of 28 x 28 pictures per data set, models/NAME.png. */
import { byId, colour, make, onTheme, rgb } from './dom.ts';
import { SIDE } from './ink.ts';
import type { DataName } from './models.ts';

const place = byId('samples');
let shown: { canvas: HTMLCanvasElement; image: Float32Array }[] = [];

/** Strips requested so far, by data set. */
const strips = new Map<DataName, Promise<Float32Array[]>>();

/** The test images of a data set. Empty if they can't be fetched or read, because the page works without them. */
export function samplesOf(data: DataName): Promise<Float32Array[]> {
  const strip =
    strips.get(data) ??
    fetchStrip(data).catch(() => {
      strips.delete(data);
      return [];
    });
  strips.set(data, strip);
  return strip;
}

async function fetchStrip(data: DataName): Promise<Float32Array[]> {
  const response = await fetch(`models/${data}.png`);
  if (!response.ok) throw new Error(`expected models/${data}.png, got status ${response.status}`);
  return cut(await createImageBitmap(await response.blob()));
}

/** Shows the images as buttons. Calls `take` with the image of a pressed button. */
export function showSamples(images: readonly Float32Array[], take: (image: Float32Array) => void): void {
  shown = images.map((image) => ({ image, canvas: make('canvas', { width: SIDE, height: SIDE }) }));
  place.replaceChildren(
    ...shown.map(({ canvas, image }, i) => {
      const button = make('button', { type: 'button', ariaLabel: `Test image ${i + 1}` }, canvas);
      button.addEventListener('click', () => take(image));
      return button;
    }),
  );
  paint();
}

function cut(strip: ImageBitmap): Float32Array[] {
  const { width } = strip;
  const drawing = make('canvas', { width, height: SIDE }).getContext('2d', { willReadFrequently: true })!;
  drawing.drawImage(strip, 0, 0);
  return Array.from({ length: Math.floor(width / SIDE) }, (_, i) => {
    const { data } = drawing.getImageData(i * SIDE, 0, SIDE, SIDE);
    return Float32Array.from({ length: SIDE * SIDE }, (_, at) => data[4 * at]! / 255);
  });
}

/** Paints a (28, 28) image in the page's colours. */
export function paintImage(canvas: HTMLCanvasElement, values: Float32Array | undefined): void {
  const [paper, ink] = [rgb(colour('raised')), rgb(colour('ink'))];
  const image = new ImageData(SIDE, SIDE);
  for (let i = 0; i < SIDE * SIDE; i++) {
    const share = values?.[i] ?? 0;
    image.data.set([...paper.map((byte, c) => byte + (ink[c]! - byte) * share), 255], 4 * i);
  }
  canvas.getContext('2d')!.putImageData(image, 0, 0);
}

const paint = () => {
  for (const { canvas, image } of shown) paintImage(canvas, image);
};
onTheme(paint);
