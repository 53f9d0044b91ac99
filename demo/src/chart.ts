/** Charts of loss and accuracy for the latest training runs, on 2D canvases (uPlot). */
import uPlot from 'uplot';
import { colour, onTheme } from './dom.ts';

/** One training run in the charts; x is in epochs. */
export interface Curve {
  readonly name: string;
  readonly x: number[];
  readonly loss: number[];
  readonly accuracy: number[];
  readonly testX: number[];
  readonly testAccuracy: number[];
}

/** Number of training runs shown at a time. */
export const MOST_CURVES = 4;

/** Colour of a curve by age: 0 is the newest. */
export const curveColour = (age: number): string =>
  age === 0 ? colour('accent') : age === 1 ? colour('against') : colour(age === 2 ? 'soft' : 'control');

const HEIGHT = 220;

class Chart {
  readonly #place: HTMLElement;
  readonly #percent: boolean;
  #plot: uPlot | undefined;
  #drawn = '';

  constructor(place: HTMLElement, percent: boolean) {
    this.#place = place;
    this.#percent = percent;
    new ResizeObserver(() => this.#plot?.setSize({ width: place.clientWidth, height: HEIGHT })).observe(place);
  }

  /** Newest curve last. `fresh`: set if colours changed. */
  show(curves: readonly Curve[], fresh: boolean): void {
    const percent = this.#percent;
    const lines = curves.map(({ x, loss, accuracy }): uPlot.AlignedData => [x, percent ? accuracy : loss]);
    const points = percent ? curves.map(({ testX, testAccuracy }): uPlot.AlignedData => [testX, testAccuracy]) : [];
    const tables = [...lines, ...points].filter(([x]) => x.length > 0);
    const data: uPlot.AlignedData = tables.length ? uPlot.join(tables) : [[], []];
    const series = [
      ...lines.map((table, i) => ({ table, i, dots: false })),
      ...points.map((table, i) => ({ table, i, dots: true })),
    ]
      .filter(({ table }) => table[0].length > 0)
      .map(({ i, dots }) => this.#series(curves[i]!.name, curves.length - 1 - i, dots));
    const shape = series.map(({ label }) => label).join();
    if (!this.#plot || fresh || shape !== this.#drawn) {
      this.#plot?.destroy();
      this.#plot = new uPlot(this.#options(series.length ? series : [{}]), data, this.#place);
      this.#drawn = shape;
    } else this.#plot.setData(data);
  }

  #series(name: string, age: number, dots: boolean): uPlot.Series {
    const stroke = curveColour(age);
    return dots
      ? {
          label: `${name}, test`,
          stroke,
          width: 0,
          spanGaps: true,
          points: { show: true, size: 8, fill: stroke, stroke: colour('paper') },
          paths: () => null,
        }
      : { label: name, stroke, width: age === 0 ? 2 : 1.25, spanGaps: true, points: { show: false } };
  }

  #options(series: uPlot.Series[]): uPlot.Options {
    const percent = this.#percent;
    const font = '12px Inter, system-ui, sans-serif';
    const axis = { stroke: colour('soft'), font, grid: { stroke: colour('line'), width: 1 }, ticks: { show: false } };
    return {
      width: this.#place.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { show: false },
      padding: [8, 8, 0, 0],
      scales: {
        x: { time: false, range: (_, __, most) => [0, Math.ceil(Math.max(1, most ?? 1))] },
        y: percent
          ? { range: (_, least) => [Math.max(0, Math.min(0.9, Math.floor(20 * (least ?? 0.9)) / 20)), 1] }
          : { range: (_, __, most) => [0, Math.max(0.1, most ?? 1)] },
      },
      axes: [
        { ...axis, size: 28, values: (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? `${tick}` : '')) },
        {
          ...axis,
          size: 48,
          values: (_, ticks) => ticks.map((tick) => (percent ? `${Math.round(100 * tick)}%` : tick.toFixed(2))),
        },
      ],
      series: [{}, ...series],
    };
  }
}

export class Charts {
  readonly #loss: Chart;
  readonly #accuracy: Chart;
  #curves: Curve[] = [];
  #scheduled = false;

  constructor(loss: HTMLElement, accuracy: HTMLElement) {
    this.#loss = new Chart(loss, false);
    this.#accuracy = new Chart(accuracy, true);
    onTheme(() => this.#draw(true));
    this.#draw(true);
  }

  /** Starts a curve and removes the oldest if there are too many. */
  begin(name: string): Curve {
    const curve: Curve = { name, x: [], loss: [], accuracy: [], testX: [], testAccuracy: [] };
    this.#curves = [...this.#curves, curve].slice(-MOST_CURVES);
    return curve;
  }

  /** Redraws the curves in the next frame. */
  update(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      this.#draw(false);
    });
  }

  #draw(fresh: boolean): void {
    this.#loss.show(this.#curves, fresh);
    this.#accuracy.show(this.#curves, fresh);
  }
}
