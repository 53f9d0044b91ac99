/** The elements of the section "Teach it". */
import { make } from './dom.ts';

export interface TeachRow {
  readonly name: HTMLInputElement;
  readonly teach: HTMLButtonElement;
}

export interface TeachBoard {
  readonly parts: readonly HTMLElement[];
  readonly pad: HTMLCanvasElement;
  readonly video: HTMLVideoElement;
  readonly output: HTMLElement;
  readonly rows: readonly TeachRow[];
  readonly status: HTMLElement;
  readonly problem: HTMLElement;
  readonly clear: HTMLButtonElement;
  readonly camera: HTMLButtonElement;
  readonly undo: HTMLButtonElement;
  readonly forget: HTMLButtonElement;
  showCounts(counts: readonly number[], enough: number): void;
  /** From -1 to 1, about; undefined for none. */
  showScores(scores: Float32Array | undefined, names: readonly string[]): void;
  showCamera(running: boolean): void;
}

/** Usable once the learner is there. */
const button = (id: string, textContent: string) => make('button', { type: 'button', id, textContent, disabled: true });

export function makeTeachBoard(classes: readonly string[]): TeachBoard {
  const pad = make('canvas', { id: 'teach-pad', className: 'pad', width: 560, height: 560, tabIndex: 0 });
  pad.role = 'img';
  pad.ariaLabel = 'Drawing area for what you teach';
  pad.setAttribute('aria-describedby', 'pad-help');
  const video = make('video', { className: 'pad', hidden: true, muted: true, playsInline: true });
  video.ariaLabel = 'What the camera shows';
  const clear = button('teach-clear', 'Clear');
  const camera = button('teach-camera', 'Use the camera');
  const best = make('span', { id: 'teach-best', textContent: '\u00a0' });
  const announcement = make('p', { className: 'visually-hidden', ariaLive: 'polite' });
  const rows = classes.map((label, i) => {
    const name = make('input', { type: 'text', maxLength: 24, value: label, autocomplete: 'off', spellcheck: false });
    name.ariaLabel = `Name of thing ${i + 1}`;
    const bar = make('i');
    const count = make('span', { className: 'count' });
    const teach = make('button', { type: 'button', className: 'teach', textContent: 'Teach', disabled: true });
    const track = make('span', { className: 'track' }, bar);
    return { name, bar, count, teach, row: make('li', {}, name, track, count, teach) };
  });
  const list = make('ol', { className: 'scores things' }, ...rows.map(({ row }) => row));
  list.ariaLabel = 'Things to recognise';
  const status = make('p', { id: 'teach-status', className: 'note', role: 'status' });
  const problem = make('p', { id: 'teach-problem', className: 'problem', role: 'alert', hidden: true });
  const undo = button('teach-undo', 'Undo the last one');
  const forget = button('teach-forget', 'Forget everything');
  const output = make(
    'div',
    { id: 'teach-output', className: 'prediction' },
    make('p', { className: 'verdict' }, best),
    list,
    status,
    make('div', { className: 'actions' }, undo, forget),
    announcement,
  );
  const drawing = make('div', { className: 'drawing' }, pad, video, make('div', { className: 'row' }, clear, camera));
  let announcing: ReturnType<typeof setTimeout> | undefined;
  return {
    parts: [problem, make('div', { className: 'board teaching' }, drawing, output)],
    ...{ pad, video, output, rows, status, problem, clear, camera, undo, forget },
    showCounts(counts, enough) {
      for (const [i, { count }] of rows.entries()) {
        const examples = counts[i]!;
        count.textContent = examples < enough ? `${examples} of ${enough}` : String(examples);
      }
    },
    showScores(scores, names) {
      const top = scores ? scores.indexOf(Math.max(...scores)) : -1;
      for (const [i, { row, bar }] of rows.entries()) {
        row.className = i === top ? 'best' : '';
        const share = scores ? Math.min(1, Math.max(0, (scores[i]! + 1) / 2)) : 0;
        bar.style.transform = `scaleX(${share})`;
      }
      best.textContent = names[top] ?? '\u00a0';
      clearTimeout(announcing);
      // Screen readers announce what is recognised once drawing pauses.
      if (scores) announcing = setTimeout(() => Object.assign(announcement, { textContent: names[top]! }), 600);
    },
    showCamera(running) {
      pad.hidden = clear.hidden = running;
      video.hidden = !running;
      camera.textContent = running ? 'Draw again' : 'Use the camera';
    },
  };
}
