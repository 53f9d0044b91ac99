/** The report as one self-contained page: tables, and a bar chart per task and shape. */
import { cells, groups, HEAD } from './report.ts';
import type { Row } from './rows.ts';

export interface Report {
  readonly environment: Readonly<Record<string, unknown>>;
  readonly rows: readonly Row[];
  readonly findings: readonly string[];
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escapeHtml = (text: string): string => text.replace(/[&<>"]/g, (found) => ENTITIES[found]!);

/** Escapes code for use between script tags, so that a closing tag or a comment in it has no effect. */
const inScript = (code: string): string => code.replace(/<(?=[/!])/g, '\\x3c');

/** A colour for each engine, readable on white and on black. Ours are blue. */
const COLOURS: Readonly<Record<string, string>> = {
  weightless: '#2f6fed',
  'weightless-cpu': '#5aa2d6',
  'weightless-cpu-1': '#7db7e8',
  stored: '#8a8fa3',
  'jax-js': '#d97706',
  'tfjs-webgpu': '#c2410c',
  'onnx-webgpu': '#9333ea',
  'onnx-wasm': '#15803d',
  'onnx-wasm-1': '#4d9b62',
};
const colourOf = ({ engine }: Row): string => COLOURS[engine] ?? '#9ca3af';

const STYLE = `:root{color-scheme:light dark;--line:#8884;--wrong:#ef444433;--error:#dc2626}
@media(prefers-color-scheme:dark){:root{--error:#f87171}}
body{font:14px/1.5 system-ui,sans-serif;margin:1.5rem auto;max-width:76rem;padding:0 1rem;overflow-wrap:anywhere}
.wide{overflow-x:auto}table{border-collapse:collapse;margin:1rem 0;overflow-wrap:normal}
td,th{padding:.15rem .6rem;border-bottom:1px solid var(--line);text-align:right;vertical-align:top}
td:nth-child(-n+2),th:nth-child(-n+2){text-align:left}.facts td{text-align:left;overflow-wrap:anywhere}
.wrong{background:var(--wrong)}td.error{color:var(--error)}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;list-style:none;padding:0}
.legend i{display:inline-block;width:.8em;height:.8em;margin-right:.4em}`;

const timed = (rows: readonly Row[]) => rows.filter(({ ms }) => ms).sort((a, b) => a.ms!.min - b.ms!.min);

const chartOf = (id: string, rows: readonly Row[]) => ({
  id,
  labels: rows.map(({ engine, weights }) => `${engine} ${weights}`),
  values: rows.map(({ ms }) => ms!.min),
  colours: rows.map(colourOf),
});

const DRAW = `const style = getComputedStyle(document.body);
Chart.defaults.color = style.color;
Chart.defaults.borderColor = style.getPropertyValue('--line');
for (const { id, labels, values, colours } of charts) new Chart(document.getElementById(id), {
  type: 'bar',
  data: { labels, datasets: [{ data: values, backgroundColor: colours }] },
  options: { indexAxis: 'y', maintainAspectRatio: false, animation: false, plugins: { legend: { display: false } },
    scales: { x: { type: 'logarithmic', title: { display: true, text: 'minimum ms per call (logarithmic)' } } } },
});`;

function tableOf(rows: readonly Row[]): string {
  const line = (row: Row) => {
    const figures = cells(row).map((cell) => `<td>${escapeHtml(cell)}</td>`);
    const error = row.error && `<tr><td class="error" colspan="${HEAD.length}">${escapeHtml(row.error)}</td></tr>`;
    return `<tr${row.verified === false ? ' class="wrong"' : ''}>${figures.join('')}</tr>${error ?? ''}`;
  };
  const head = HEAD.map((cell) => `<th>${escapeHtml(cell)}</th>`).join('');
  return `<div class="wide" tabindex="0"><table><tr>${head}</tr>${rows.map(line).join('')}</table></div>`;
}

function legendOf(rows: readonly Row[]): string {
  const engines = new Map(rows.map((row) => [row.engine, colourOf(row)]));
  const items = [...engines].map(([engine, colour]) => `<li><i style="background:${colour}"></i>${escapeHtml(engine)}`);
  return `<ul class="legend">${items.join('')}</ul>`;
}

/** `chart`: the source of Chart.js. Without it the page has only tables. */
export function html({ environment, rows, findings }: Report, chart?: string): string {
  const charts: ReturnType<typeof chartOf>[] = [];
  const sections = [...groups(rows)].map(([name, members]) => {
    const bars = timed(members);
    let canvas = '';
    if (chart && bars.length > 1) {
      const id = `chart${charts.length}`;
      charts.push(chartOf(id, bars));
      const what = escapeHtml(`Minimum milliseconds of each engine: ${name}. The table below has the figures.`);
      canvas = `<div style="height:${60 + 24 * bars.length}px"><canvas id="${id}" role="img" aria-label="${what}"></canvas></div>`;
    }
    return `<h2>${escapeHtml(name)}</h2>${canvas}${tableOf(members)}`;
  });
  const text = (value: unknown) => escapeHtml(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));
  const facts = Object.entries(environment).map(
    ([name, value]) => `<tr><td>${escapeHtml(name)}</td><td>${text(value)}</td></tr>`,
  );
  const draw = `const charts = ${JSON.stringify(charts)};\n${DRAW}`;
  const scripts = chart ? `<script>${inScript(chart)}</script><script>${inScript(draw)}</script>` : '';
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>weightless: bench</title><style>${STYLE}</style>
<h1>weightless: bench</h1><table class="facts">${facts.join('')}</table>
<ul>${findings.map((finding) => `<li>${escapeHtml(finding)}</li>`).join('')}</ul>
${charts.length ? legendOf(rows) : ''}
${sections.join('\n')}
${scripts}</html>
`;
}
