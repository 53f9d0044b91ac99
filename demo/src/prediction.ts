/** Shows the scores as bars, and the best class in words. */
import { byId, make } from './dom.ts';

const best = byId('best');
const sure = byId('sure');
const announcement = byId('announcement');
const list = byId('scores');
let bars: { row: HTMLElement; bar: HTMLElement; value: HTMLElement }[] = [];
let names: readonly string[] = [];
let announcing: ReturnType<typeof setTimeout> | undefined;

export function showClasses(classes: readonly string[]): void {
  names = classes;
  list.style.setProperty('--label', Math.max(...classes.map((name) => name.length)) > 2 ? '84px' : '16px');
  bars = classes.map((name) => {
    const bar = make('i');
    const value = make('span', { className: 'value' });
    const row = make('li', {}, make('span', { textContent: name }), make('span', { className: 'track' }, bar), value);
    return { row, bar, value };
  });
  list.replaceChildren(...bars.map(({ row }) => row));
  showScores(undefined);
}

export function showScores(scores: Float32Array | undefined): void {
  const top = scores ? scores.indexOf(Math.max(...scores)) : -1;
  bars.forEach(({ row, bar, value }, i) => {
    const share = scores?.[i] ?? 0;
    row.className = i === top ? 'best' : '';
    bar.style.transform = `scaleX(${share})`;
    value.textContent = scores ? `${(100 * share).toFixed(1)}%` : '';
  });
  best.textContent = names[top] ?? '\u00a0';
  sure.textContent = scores ? `${(100 * scores[top]!).toFixed(1)}% sure` : 'nothing drawn yet';
  clearTimeout(announcing);
  // Screen readers announce the prediction once drawing pauses.
  if (scores) {
    announcing = setTimeout(() => {
      announcement.textContent = `${names[top]}, ${Math.round(100 * scores[top]!)} percent`;
    }, 600);
  }
}
