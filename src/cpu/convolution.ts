/** Convolutions on the CPU: image by image, copied into a border of zeros if needed, with windows read in place. */

import { ShapeError } from '../core/errors.ts';
import { type Window, windowCounts, windowSize } from '../core/window.ts';
import { type ElementwiseName, isElementwise, type WeightSpec, weightScale } from '../weights/distributions.ts';
import type { Machine } from './machine.ts';
import { kindOf, placeKeys } from './random_matmul.ts';
import {
  type Frame,
  frameBytes,
  frameStart,
  frameWidth,
  gradientFrame,
  imageBytes,
  inFours,
  isBare,
  phasesOf,
  segmentsOf,
  windowFrame,
  windowPixels,
  windowPositions,
} from './window-tables.ts';

export interface Convolution {
  readonly rows: number;
  readonly window: Window;
  readonly filters: number;
}

const eights = (count: number): number => 8 * Math.ceil(count / 8);
/** Size in bytes of all panels of `rows` rows. */
const panelBytes = (rows: number, columns: number): number => 4 * rows * eights(columns);

/** Address of an image with its border: in place, or a copy. The border is zeroed once, here, and stays zero. */
function bordered(machine: Machine, frame: Frame): (image: number) => number {
  if (isBare(frame)) return (image) => image;
  const room = machine.allocate(frameBytes(frame));
  machine.floats(room, frameBytes(frame) / 4).fill(0);
  const line = 4 * frame.width * frame.channels;
  return (image) => {
    const stride = 4 * frameWidth(frame) * frame.channels;
    machine.kernels.copyLines(image, line, frame.height, line, room + frameStart(frame), stride);
    return room;
  };
}

/** Prepares z (rows, windows * filters) from x and w (window size, filters). */
export function conv(machine: Machine, { rows, window, filters }: Convolution) {
  const { kernels } = machine;
  const frame = windowFrame(window);
  const starts = windowPositions(window, frame);
  const positions = machine.place(inFours(starts));
  const targets = machine.place(inFours(starts.map((_, i) => 4 * filters * i)));
  const segments = segmentsOf(windowPixels(window, frame), window.channels);
  const runs = machine.place(segments);
  const k = windowSize(window);
  const panels = machine.allocate(panelBytes(k, filters));
  const border = bordered(machine, frame);
  const count = 4 * Math.ceil(starts.length / 4);
  return (x: number, w: number, z: number) => {
    kernels.packPanels(w, k, 4 * filters, filters, 4, panels, 32 * k);
    for (let row = 0; row < rows; row++, x += imageBytes(window), z += 4 * filters * starts.length) {
      const image = border(x);
      kernels.windowTiles(image, positions, targets, count, runs, segments.length / 2, panels, k, filters, z);
    }
  };
}

/** Prepares dx from dz and w. */
export function convInputGradient(machine: Machine, { rows, window, filters }: Convolution) {
  const { kernels } = machine;
  const { channels } = window;
  const frame = gradientFrame(window, filters);
  const phases = phasesOf(window, frame).map(({ positions, targets, pixels, taps }) => {
    const segments = segmentsOf(pixels, filters);
    const k = taps.length * filters;
    return {
      positions: machine.place(inFours(positions)),
      targets: machine.place(inFours(targets)),
      count: 4 * Math.ceil(positions.length / 4),
      segments: machine.place(segments),
      segmentCount: segments.length / 2,
      panels: machine.allocate(panelBytes(k, channels)),
      taps,
      k,
    };
  });
  const border = bordered(machine, frame);
  const [down, across] = windowCounts(window);
  return (dz: number, w: number, dx: number) => {
    for (const { taps, panels, k } of phases) {
      for (const [i, tap] of taps.entries()) {
        const from = w + 4 * tap * channels * filters;
        kernels.packPanels(from, filters, 4, channels, 4 * filters, panels + 32 * filters * i, 32 * k);
      }
    }
    for (let row = 0; row < rows; row++, dz += 4 * down * across * filters, dx += imageBytes(window)) {
      const image = border(dz);
      for (const { positions, targets, count, segments, segmentCount, panels, k } of phases) {
        kernels.windowTiles(image, positions, targets, count, segments, segmentCount, panels, k, channels, dx);
      }
    }
  };
}

/** Prepares dw from x and dz. */
export function convWeightGradient(machine: Machine, { rows, window, filters }: Convolution) {
  const { kernels } = machine;
  const { channels } = window;
  const frame = windowFrame(window);
  const starts = windowPositions(window, frame);
  const positions = machine.place(starts);
  const pixels = windowPixels(window, frame);
  const k = windowSize(window);
  const offsets = inFours(Array.from({ length: k }, (_, i) => pixels[Math.floor(i / channels)]! + 4 * (i % channels)));
  const numbers = machine.place(offsets);
  const panels = machine.allocate(panelBytes(offsets.length, filters));
  const border = bordered(machine, frame);
  const columns = eights(filters);
  const filled = columns === filters ? 0 : machine.allocate(4 * columns * starts.length);
  if (filled) machine.floats(filled, columns * starts.length).fill(0);
  const line = 4 * filters;
  return (x: number, dz: number, dw: number) => {
    machine.floats(panels, offsets.length * columns).fill(0);
    for (let row = 0; row < rows; row++, x += imageBytes(window), dz += line * starts.length) {
      if (filled) kernels.copyLines(dz, line, starts.length, line, filled, 4 * columns);
      kernels.windowGradient(border(x), positions, starts.length, numbers, k, filled || dz, columns, panels);
    }
    kernels.unpackPanels(panels, k, filters, 32 * offsets.length, dw);
  };
}

/** The filters of a random convolution, (window size, filters), regenerated in each call. */
function filtersOf(machine: Machine, weights: WeightSpec, { window, filters }: Convolution): () => number {
  const { distribution } = weights;
  if (!isElementwise(distribution))
    throw new ShapeError(`expected filters of element-wise weights, got ${distribution}`);
  const k = windowSize(window);
  const [key0, key1] = placeKeys(machine, weights, filters);
  const w = machine.allocate(4 * k * filters);
  const scale = weightScale(distribution, k);
  return () => {
    machine.decodeAs(distribution as ElementwiseName);
    machine.kernels.randomFilters(key0, key1, kindOf(distribution), k, filters, scale, w);
    return w;
  };
}

export function randomConv(machine: Machine, { weights, ...args }: Convolution & { weights: WeightSpec }) {
  const [make, product] = [filtersOf(machine, weights, args), conv(machine, args)];
  return (x: number, z: number) => product(x, make(), z);
}

export function randomConvTransposed(machine: Machine, { weights, ...args }: Convolution & { weights: WeightSpec }) {
  const [make, product] = [filtersOf(machine, weights, args), convInputGradient(machine, args)];
  return (dz: number, dx: number) => product(dz, make(), dx);
}
