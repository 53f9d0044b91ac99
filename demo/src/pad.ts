/** The drawing area, for pointer and keyboard. Ink is the alpha channel of a 2D canvas. */
import type { Grey } from '../../src/data/grey.ts';
import { colour, onTheme } from './dom.ts';
import { SIDE } from './ink.ts';

/**
 * Width of a stroke, as a share of the canvas: 2.3 of 20 pixels for a digit that fills two thirds of it, as in MNIST.
 */
const STROKE = 0.078;
/** Distance of one arrow key press, in canvas widths. */
const KEY_STEP = 1 / 24;
/** Resolution at which the drawing is read: pixels per side. */
const READ = 140;

interface Point {
  readonly x: number;
  readonly y: number;
}

const arrows: Record<string, Point> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

export class Pad {
  readonly #canvas: HTMLCanvasElement;
  readonly #ink: CanvasRenderingContext2D;
  readonly #shown: CanvasRenderingContext2D;
  readonly #changed: () => void;
  /** Position of the keyboard's pen. */
  #cursor: Point;
  #down = false;
  #keyboard = false;

  /** Calls `changed` after every stroke and after `clear`. */
  constructor(canvas: HTMLCanvasElement, changed: () => void) {
    this.#canvas = canvas;
    this.#shown = canvas.getContext('2d')!;
    const { width, height } = canvas;
    this.#ink = Object.assign(document.createElement('canvas'), { width, height }).getContext('2d')!;
    this.#changed = changed;
    this.#cursor = { x: width / 2, y: height / 2 };
    this.#listenToPointer();
    canvas.addEventListener('keydown', (event) => this.#key(event));
    canvas.addEventListener('blur', () => {
      this.#keyboard = this.#down = false;
      this.#show();
    });
    onTheme(() => this.#show());
  }

  clear(): void {
    this.#ink.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    this.#show();
    this.#changed();
  }

  /** Shows a (28, 28) image. */
  put(image: Float32Array): void {
    const { width, height } = this.#canvas;
    const small = Object.assign(document.createElement('canvas'), { width: SIDE, height: SIDE });
    const pixels = new ImageData(SIDE, SIDE);
    image.forEach((value, i) => {
      pixels.data[4 * i + 3] = Math.round(255 * value);
    });
    small.getContext('2d')!.putImageData(pixels, 0, 0);
    this.#ink.clearRect(0, 0, width, height);
    this.#ink.imageSmoothingEnabled = false;
    this.#ink.drawImage(small, 0, 0, width, height);
    this.#show();
  }

  /** The ink: 0 none, 1 opaque. */
  read(): Grey {
    const small = Object.assign(document.createElement('canvas'), { width: READ, height: READ }).getContext('2d', {
      willReadFrequently: true,
    })!;
    small.drawImage(this.#ink.canvas, 0, 0, READ, READ);
    const { data } = small.getImageData(0, 0, READ, READ);
    return {
      width: READ,
      height: READ,
      grey: Float32Array.from({ length: READ * READ }, (_, i) => data[4 * i + 3]! / 255),
    };
  }

  #listenToPointer(): void {
    const canvas = this.#canvas;
    let last: Point | undefined;
    const at = (event: PointerEvent): Point => {
      const box = canvas.getBoundingClientRect();
      return {
        x: ((event.clientX - box.left) / box.width) * canvas.width,
        y: ((event.clientY - box.top) / box.height) * canvas.height,
      };
    };
    canvas.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      canvas.setPointerCapture(event.pointerId);
      this.#keyboard = false;
      last = at(event);
      this.#draw(last, last);
      this.#drawn();
    });
    canvas.addEventListener('pointermove', (event) => {
      if (!last) return;
      const events = event.getCoalescedEvents?.() ?? [];
      for (const moved of events.length ? events : [event]) {
        const next = at(moved);
        this.#draw(last, next);
        last = next;
      }
      this.#drawn();
    });
    const end = () => {
      last = undefined;
    };
    canvas.addEventListener('pointerup', end);
    canvas.addEventListener('pointercancel', end);
  }

  #key(event: KeyboardEvent): void {
    const direction = arrows[event.key];
    if (!direction && event.key !== ' ' && event.key !== 'Escape') return;
    event.preventDefault();
    this.#keyboard = true;
    if (event.key === 'Escape') {
      this.clear();
      return;
    }
    const from = this.#cursor;
    if (direction) {
      const { width } = this.#canvas;
      const inside = (value: number) => Math.max(0, Math.min(width, value));
      this.#cursor = {
        x: inside(from.x + direction.x * width * KEY_STEP),
        y: inside(from.y + direction.y * width * KEY_STEP),
      };
    } else this.#down = !this.#down;
    if (!this.#down) {
      this.#show();
      return;
    }
    this.#draw(from, this.#cursor);
    this.#drawn();
  }

  #draw(from: Point, to: Point): void {
    const ink = this.#ink;
    ink.lineWidth = STROKE * this.#canvas.width;
    ink.lineCap = ink.lineJoin = 'round';
    ink.beginPath();
    ink.moveTo(from.x, from.y);
    ink.lineTo(to.x, to.y);
    ink.stroke();
  }

  #drawn(): void {
    this.#show();
    this.#changed();
  }

  /** Draws the ink in the theme's colour, and the keyboard's pen. */
  #show(): void {
    const shown = this.#shown;
    const { width, height } = this.#canvas;
    shown.globalCompositeOperation = 'source-over';
    shown.clearRect(0, 0, width, height);
    shown.drawImage(this.#ink.canvas, 0, 0);
    shown.globalCompositeOperation = 'source-in';
    shown.fillStyle = colour('ink');
    shown.fillRect(0, 0, width, height);
    if (!this.#keyboard) return;
    shown.globalCompositeOperation = 'source-over';
    shown.lineWidth = 4;
    shown.strokeStyle = shown.fillStyle = colour('accent');
    shown.beginPath();
    shown.arc(this.#cursor.x, this.#cursor.y, (STROKE * width) / 2, 0, 2 * Math.PI);
    shown.stroke();
    if (this.#down) shown.fill();
  }
}
