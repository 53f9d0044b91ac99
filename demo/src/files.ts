/** Files that the user opens, drops on the page or saves. */
import { borderMean, type Grey } from '../../src/data/grey.ts';
import { byId } from './dom.ts';

/** Larger pictures are scaled down to this longest side. */
const MOST_PIXELS = 400;

export const isModelFile = (file: File): boolean => file.name.endsWith('.safetensors');

/** Reads a picture as ink from 0 to 1: subtracts the paper, and inverts dark ink on light paper. */
export async function readPicture(file: Blob): Promise<Grey> {
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new Error('expected a picture that this browser can show, or a .safetensors model file');
  });
  const scale = Math.min(1, MOST_PIXELS / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * scale))) as [
    number,
    number,
  ];
  const drawing = Object.assign(document.createElement('canvas'), { width, height }).getContext('2d', {
    willReadFrequently: true,
  })!;
  drawing.fillStyle = '#fff';
  drawing.fillRect(0, 0, width, height);
  drawing.imageSmoothingQuality = 'high';
  drawing.drawImage(bitmap, 0, 0, width, height);
  const { data } = drawing.getImageData(0, 0, width, height);
  const luma = (i: number) => (0.299 * data[4 * i]! + 0.587 * data[4 * i + 1]! + 0.114 * data[4 * i + 2]!) / 255;
  let grey = Float32Array.from({ length: width * height }, (_, i) => luma(i));
  const paper = borderMean({ width, height, grey });
  if (paper > 0.5) grey = grey.map((value) => 1 - value);
  const floor = (paper > 0.5 ? 1 - paper : paper) + 0.1;
  const top = grey.reduce((a, b) => Math.max(a, b), 0);
  if (top - floor < 0.1) throw new Error('expected a picture with some contrast, got a uniform area');
  return { width, height, grey: grey.map((value) => Math.max(0, (value - floor) / (top - floor))) };
}

/** Calls `take` with each file that the user opens or drops. */
export function setUpFiles(take: (file: File) => void): void {
  const chooser = byId<HTMLInputElement>('file');
  chooser.addEventListener('change', () => {
    for (const file of chooser.files ?? []) take(file);
    chooser.value = '';
  });
  const veil = byId('drop');
  const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
  addEventListener('dragover', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    veil.hidden = false;
  });
  addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) veil.hidden = true;
  });
  addEventListener('drop', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    veil.hidden = true;
    for (const file of event.dataTransfer?.files ?? []) take(file);
  });
}

/** Lets the user save the data as a file. */
export function saveFile(name: string, data: Uint8Array<ArrayBuffer>): void {
  const address = URL.createObjectURL(new Blob([data], { type: 'application/octet-stream' }));
  Object.assign(document.createElement('a'), { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
