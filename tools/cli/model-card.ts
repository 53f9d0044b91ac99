/** What a model file says about its data and where it comes from, for people: `weightless inspect` and `--card`. */
import { escapeControls, legible } from '../../src/core/quote.ts';
import type { Model } from '../../src/model/model.ts';
import {
  type ColumnSpec,
  type InputSpec,
  type OutputSpec,
  outputNames,
  type SignalInputs,
} from '../../src/model/preparation.ts';
import { cardOf, preparationOf } from '../../src/model/preparation-metadata.ts';
import { significant } from '../common/output.ts';

/** A heading, and lines of a name and a text. */
export interface Section {
  readonly title: string;
  readonly lines: readonly (readonly [name: string, text: string])[];
}

const listed = (names: readonly string[]): string =>
  names.slice(0, 20).join(', ') + (names.length > 20 ? `, ... (${names.length})` : '');

const scaled = ({ mean, deviation }: { mean: number; deviation: number }) =>
  `${significant(mean)} \u00b1 ${significant(deviation)}`;

const columnTexts: { readonly [K in ColumnSpec['kind']]: (column: Extract<ColumnSpec, { kind: K }>) => string } = {
  number: (column) => `number, ${scaled(column)}${column.unit ? `, written with ${column.unit}` : ''}`,
  date: (column) => `date (${column.order}), day ${scaled(column)} since 1970`,
  category: ({ categories }) => `text, one of ${listed(categories)}`,
};

const signalStandards: { readonly [K in SignalInputs['standardise']]: string } = {
  series: 'each channel of each signal',
  training: 'each channel, by the training signals',
  none: 'no',
};

const inputLines: { readonly [K in InputSpec['kind']]: (inputs: Extract<InputSpec, { kind: K }>) => Section['lines'] } =
  {
    table: ({ columns, ignored }) => [
      ...columns.map(
        (column) => [column.name, (columnTexts[column.kind] as (column: ColumnSpec) => string)(column)] as const,
      ),
      ...(ignored.length ? [['left out', listed(ignored)] as const] : []),
    ],
    image: ({ height, width, channels, fit, invert }) => [
      ['pictures', `${width} x ${height}, ${channels === 3 ? 'in colour' : 'grey'}`],
      ['fit', fit],
      ['inverted', invert === 'auto' ? 'where the border is light' : invert ? 'yes' : 'no'],
    ],
    signal: ({ channels, length, rate, standardise }) => [
      ['signals', `${length} samples of ${listed(channels)}${rate ? `, ${rate} a second` : ''}`],
      ['standardised', signalStandards[standardise]],
    ],
    numbers: () => [['numbers', 'as they are']],
  };

function outputLines(outputs: OutputSpec): Section['lines'] {
  if (outputs.task !== 'regression') {
    const { task, label } = outputs;
    const names = task === 'classification' ? 'classes' : 'labels';
    return [
      ['task', task],
      ...(label === undefined ? [] : [['column', label] as const]),
      [names, listed(outputNames(outputs))],
      ...(task === 'multilabel' ? [['threshold', String(outputs.threshold)] as const] : []),
    ];
  }
  const { task, targets } = outputs;
  return [
    ['task', task],
    ...targets.map((target) => [target.name, `${scaled(target)}${target.unit ? ` ${target.unit}` : ''}`] as const),
  ];
}

/** Empty for a model that says nothing. Throws `ModelFileError` for damaged metadata. */
export function cardSections(model: Model): Section[] {
  const [preparation, card] = [preparationOf(model), cardOf(model)];
  const sections: Section[] = [];
  if (preparation) {
    const { inputs, outputs } = preparation;
    const lines = (inputLines[inputs.kind] as (inputs: InputSpec) => Section['lines'])(inputs);
    sections.push({ title: 'Inputs', lines }, { title: 'Outputs', lines: outputLines(outputs) });
  }
  if (card) {
    const { data, command, seed, release, date, heldOut } = card;
    sections.push({
      title: 'Training',
      lines: [
        ['data', `${data.name}, ${data.rows} rows${data.sha256 ? `, SHA-256 ${data.sha256}` : ''}`],
        ...(command ? [['command', command] as const] : []),
        ['seed', seed],
        ['weightless', release],
        ['date', date],
      ],
    });
    if (heldOut) {
      const lines = heldOut.figures.map(({ name, value }) => [name, significant(value)] as const);
      sections.push({ title: `Figures on ${heldOut.rows} held-out rows`, lines });
    }
  }
  const known = ['preparation', 'card', 'classes'];
  const free = Object.entries(model.metadata ?? {}).filter(([name]) => !known.includes(name));
  if (free.length) sections.push({ title: 'Metadata', lines: free });
  return sections;
}

/** One line of Markdown: names come from files. */
const plain = (text: string): string =>
  escapeControls(legible(text, 400)).replaceAll(/[\\`*_[\]<>|#]/g, (mark) => `\\${mark}`);

/** The sections as a page of Markdown. */
export const cardPage = (title: string, sections: readonly Section[]): string =>
  [`# ${plain(title)}`, ...sections.map(sectionOf)].join('\n\n').concat('\n');

const sectionOf = ({ title, lines }: Section): string =>
  [`## ${title}`, '', '| | |', '|---|---|', ...lines.map(([name, text]) => `| ${plain(name)} | ${plain(text)} |`)].join(
    '\n',
  );
