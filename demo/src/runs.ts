/** The table of trained networks: figures, saving, and use for the drawing. */
import { type Model, modelSize } from 'weightless-gpu';
import { bytes, count, percent } from '../../src/core/format.ts';
import { curveColour, MOST_CURVES } from './chart.ts';
import { byId, make, onTheme } from './dom.ts';
import { storedBytes } from './facts.ts';
import { saveFile } from './files.ts';
import { type DataName, dataSets } from './models.ts';

export interface Trained {
  readonly title: string;
  readonly model: Model;
  /** The model as a file. */
  readonly file: Uint8Array<ArrayBuffer>;
  readonly data: DataName;
  readonly accuracy: number;
  readonly seconds: number;
}

const swatches: HTMLElement[] = [];

/** Adds a row. Calls `use` when the user wants to draw with that network. */
export function listRun(trained: Trained, use: (trained: Trained) => void): void {
  const { title, model, file, accuracy, data, seconds } = trained;
  const swatch = make('span', { className: 'swatch' });
  swatches.unshift(swatch);
  const save = make('button', { type: 'button', textContent: 'Save' });
  save.addEventListener('click', () =>
    saveFile(`${title.replace(/ \(.*/, '').replace(/[ ,]+/g, '-')}.safetensors`, file),
  );
  const draw = make('button', { type: 'button', textContent: 'Use for drawing' });
  draw.addEventListener('click', () => {
    use(trained);
    byId('draw').scrollIntoView({ behavior: 'smooth' });
  });
  const cells = [
    [swatch, `${title.replace(/ \(.*/, '')}${data === 'mnist' ? '' : `, ${dataSets[data].title}`}`],
    [percent(accuracy)],
    [count(modelSize(model).trainedParameters)],
    [bytes(file.length)],
    [bytes(storedBytes(model))],
    [`${seconds.toFixed(1)} s`],
    [save, draw],
  ];
  const body = byId('runs');
  body.querySelector('.empty')?.remove();
  body.prepend(make('tr', {}, ...cells.map((cell) => make('td', {}, ...cell))));
  paintSwatches();
}

/** Gives each row the colour of its curve; rows whose curve was removed get none. */
const paintSwatches = () => {
  for (const [age, swatch] of swatches.entries()) {
    swatch.style.background = age < MOST_CURVES ? curveColour(age) : 'transparent';
  }
};
onTheme(paintSwatches);
