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

const OURS = '#2563eb';
const STORED = '#7c9cc9';
const PEER = '#d97706';
const OTHER = '#9ca3af';
const colour = ({ engine, peer }: Row): string =>
  peer ? PEER : engine === 'weightless' ? OURS : engine === 'stored' ? STORED : OTHER;

const STYLE = `body{font:14px/1.4 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}
table{border-collapse:collapse;margin:1rem 0}td,th{padding:.15rem .6rem;border-bottom:1px solid #ddd;text-align:right}
td:nth-child(-n+2),th:nth-child(-n+2){text-align:left}.wrong{background:#fecaca}.error{color:#b91c1c}`;

/** `chart`: the source of Chart.js. Without it the page has only tables. */
export function html({ environment, rows, findings }: Report, chart?: string): string {
  const charts: { id: string; labels: string[]; values: number[]; colours: string[] }[] = [];
  const sections = [...groups(rows)].map(([name, members], i) => {
    const timed = members.filter(({ ms }) => ms);
    const id = `chart${i}`;
    if (chart && timed.length > 1) {
      charts.push({
        id,
        labels: timed.map(({ engine, weights }) => `${engine} ${weights}`),
        values: timed.map(({ ms }) => ms!.min),
        colours: timed.map(colour),
      });
    }
    const line = (row: Row) =>
      `<tr${row.verified === false ? ' class="wrong"' : ''}>${cells(row)
        .map((cell) => `<td>${escapeHtml(cell)}</td>`)
        .join(
          '',
        )}</tr>${row.error ? `<tr><td class="error" colspan="${HEAD.length}">${escapeHtml(row.error)}</td></tr>` : ''}`;
    const canvas =
      chart && timed.length > 1
        ? `<div style="height:${60 + 24 * timed.length}px"><canvas id="${id}"></canvas></div>`
        : '';
    const head = HEAD.map((cell) => `<th>${escapeHtml(cell)}</th>`).join('');
    return `<h2>${escapeHtml(name)}</h2>${canvas}<table><tr>${head}</tr>${members.map(line).join('')}</table>`;
  });
  const draw = `for (const { id, labels, values, colours } of ${JSON.stringify(charts)}) new Chart(document.getElementById(id), {
  type: 'bar',
  data: { labels, datasets: [{ data: values, backgroundColor: colours }] },
  options: { indexAxis: 'y', maintainAspectRatio: false, animation: false, plugins: { legend: { display: false } },
    scales: { x: { type: 'logarithmic', title: { display: true, text: 'minimum ms per call (logarithmic)' } } } },
});`;
  const facts = Object.entries(environment).map(
    ([name, value]) =>
      `<tr><td>${escapeHtml(name)}</td><td>${escapeHtml(typeof value === 'string' ? value : JSON.stringify(value))}</td></tr>`,
  );
  const scripts = chart ? `<script>${inScript(chart)}</script><script>${inScript(draw)}</script>` : '';
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>weightless: bench</title><style>${STYLE}</style>
<h1>weightless: bench</h1><table>${facts.join('')}</table>
<ul>${findings.map((finding) => `<li>${escapeHtml(finding)}</li>`).join('')}</ul>
${sections.join('\n')}
${scripts}</html>
`;
}
