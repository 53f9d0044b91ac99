/** A report as one HTML file that needs nothing else: charts are drawn here, as SVG, by Vega-Lite. */
import { checkWritable, makeFolderOf } from '../../src/core/files.ts';
import { ExperimentError } from './errors.ts';
import type { Chart, Section, Table } from './sections.ts';

/** Read well on light and on dark ground. */
const PALETTE = [
  '#2a78d6',
  '#eb6834',
  '#1baf7a',
  '#c98500',
  '#9085e9',
  '#e2588f',
  '#6f8a00',
  '#5f9ea0',
  '#a0653c',
  '#8a8a8a',
];

/** Lines and words take the colour of the page's text. */
const CONFIG = {
  background: 'transparent',
  font: 'system-ui, sans-serif',
  view: { stroke: null },
  title: { color: 'currentColor', anchor: 'start', fontWeight: 600 },
  axis: {
    labelColor: 'currentColor',
    titleColor: 'currentColor',
    tickColor: 'currentColor',
    domainColor: 'currentColor',
    gridColor: 'currentColor',
    gridOpacity: 0.12,
    titleFontWeight: 'normal',
  },
  legend: {
    orient: 'bottom',
    columns: 3,
    labelColor: 'currentColor',
    titleColor: 'currentColor',
    titleFontWeight: 'normal',
    symbolStrokeWidth: 2,
    symbolOpacity: 1,
  },
  text: { color: 'currentColor' },
  bar: { color: PALETTE[0] },
  range: { category: PALETTE },
};

const STYLE = `:root{color-scheme:light dark;--ground:#fcfcfb;--text:#1d1d1b;--quiet:#6a6963;--line:#dddcd6}
@media(prefers-color-scheme:dark){:root{--ground:#1a1a19;--text:#eeeeea;--quiet:#a3a29b;--line:#3a3936}}
body{font:15px/1.5 system-ui,sans-serif;background:var(--ground);color:var(--text);margin:2rem auto;max-width:75rem;padding:0 1rem}
h1{font-size:1.7rem;line-height:1.2;margin:0}h2{font-size:1.15rem;margin:2.5rem 0 .5rem}
p,li{max-width:50rem}.quiet,dt,figcaption{color:var(--quiet)}.charts{display:flex;flex-wrap:wrap;gap:1rem 2rem}
.charts svg{max-width:100%;height:auto}.scroll{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;margin:.5rem 0;font-size:.9rem}
td,th{padding:.2rem .9rem .2rem 0;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}
td:first-child,th:first-child,td.words,th.words{text-align:left}th{font-weight:600}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;font-size:.9rem;margin:1rem 0}dd{margin:0;overflow-wrap:anywhere}
figure{margin:.5rem 0}figcaption{font-size:.85rem}figure img{display:block;max-width:100%;image-rendering:pixelated}
.gallery{display:flex;flex-wrap:wrap;gap:.5rem 1.2rem}.gallery figcaption{max-width:9rem}
.gallery figure{display:flex;flex-direction:column-reverse;justify-content:flex-end}
code{font-size:.9em}`;

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escapeHtml = (text: string): string => text.replace(/[&<>"]/g, (found) => ENTITIES[found]!);

/** Draws a chart as SVG. `version`: of Vega-Lite. */
export type Draw = ((chart: Chart) => Promise<string>) & { readonly version: string };

/** Vega-Lite, if it is installed. Throws `ExperimentError` that says how to get it: worth asking before hours of runs. */
export async function drawing(): Promise<Draw> {
  let vega: typeof import('vega');
  let vegaLite: typeof import('vega-lite');
  try {
    [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')]);
  } catch (error) {
    throw new ExperimentError(
      `report: expected the npm packages vega and vega-lite, could not load them: ${(error as Error).message}. ` +
        'Run: npm install vega@6.4.0 vega-lite@6.5.0',
    );
  }
  const draw = async (chart: Chart) => {
    const spec = { width: 430, height: 280, config: CONFIG, ...chart } as unknown as import('vega-lite').TopLevelSpec;
    const view = new vega.View(vega.parse(vegaLite.compile(spec).spec), { renderer: 'none' });
    try {
      return await view.toSVG();
    } finally {
      view.finalize();
    }
  };
  return Object.assign(draw, { version: vegaLite.version });
}

function tableHtml({ head, rows }: Table): string {
  const isWords = (column: number) => rows.every((row) => !/^[+-]?[\d.]/.test(String(row[column] ?? '')));
  const words = head.map((_, column) => (isWords(column) ? ' class="words"' : ''));
  const cells = (row: Table['rows'][number], tag: string) =>
    row.map((cell, i) => `<${tag}${words[i]}>${escapeHtml(String(cell))}</${tag}>`).join('');
  const body = rows.map((row) => `<tr>${cells(row, 'td')}</tr>`).join('\n');
  return `<div class="scroll" tabindex="0" role="region" aria-label="table"><table><thead><tr>${cells(head, 'th')}</tr></thead><tbody>\n${body}\n</tbody></table></div>`;
}

async function sectionHtml({ title, text, charts, table, pictures, gallery }: Section, draw: Draw): Promise<string> {
  const drawn: string[] = [];
  for (const chart of charts ?? []) drawn.push(await draw(chart));
  const shown = (pictures ?? []).map(({ caption, png }) => {
    const source = `data:image/png;base64,${Buffer.from(png).toString('base64')}`;
    return `<figure><figcaption>${escapeHtml(caption)}</figcaption><img alt="${escapeHtml(caption)}" src="${source}"></figure>`;
  });
  return [
    `<section><h2>${escapeHtml(title)}</h2>`,
    ...(text ? [`<p class="quiet">${escapeHtml(text)}</p>`] : []),
    ...(drawn.length ? [`<div class="charts">${drawn.join('\n')}</div>`] : []),
    ...(gallery ? [`<div class="gallery">${shown.join('\n')}</div>`] : shown),
    ...(table ? [tableHtml(table)] : []),
    '</section>',
  ].join('\n');
}

/** Throws where a report could not be drawn or written: asked before hours of training, not after. */
export async function prepareReport(path: string): Promise<void> {
  await drawing();
  await makeFolderOf(path);
  await checkWritable(path);
}

/** What a page shows. */
export interface ReportPage {
  readonly title: string;
  /** Under the title. */
  readonly lead: string;
  readonly findings: readonly string[];
  /** What made the numbers, by name; `command` is shown as code. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly sections: readonly Section[];
  readonly footer: string;
}

/** The page as HTML. `draw`: of `drawing`. */
export async function pageHtml(
  { title, lead, findings, facts, sections, footer }: ReportPage,
  draw: Draw,
): Promise<string> {
  const made: string[] = [];
  for (const section of sections) made.push(await sectionHtml(section, draw));
  const listed = facts.map(([name, value]) => {
    const text = escapeHtml(value);
    return `<dt>${escapeHtml(name)}</dt><dd>${name === 'command' ? `<code>${text}</code>` : text}</dd>`;
  });
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">',
    `<title>${escapeHtml(title)}</title><style>${STYLE}</style></head><body><main>`,
    `<h1>${escapeHtml(title)}</h1><p>${escapeHtml(lead)}</p>`,
    ...(findings.length ? [`<ul>${findings.map((finding) => `<li>${escapeHtml(finding)}</li>`).join('\n')}</ul>`] : []),
    `<dl>${listed.join('\n')}</dl>`,
    ...made,
    `<p class="quiet">${escapeHtml(footer)}</p>`,
    '</main></body></html>\n',
  ].join('\n');
}
