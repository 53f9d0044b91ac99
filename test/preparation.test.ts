/** What a model file says about its data: kept through save and read, and checked as anything untrusted. */
import { describe, expect, it } from 'vitest';
import { registerConvolutions } from '../src/convolution.ts';
import { readDate } from '../src/core/dates.ts';
import { DataError, ModelFileError, OptionError } from '../src/core/errors.ts';
import { classNamesOf, dataSet } from '../src/data/dataset.ts';
import { dense } from '../src/layers/dense.ts';
import { type Model, sequential } from '../src/model/model.ts';
import type { ModelCard, Preparation } from '../src/model/preparation.ts';
import { cardOf, preparationOf, setCard, setPreparation } from '../src/model/preparation-metadata.ts';
import { readModel } from '../src/model/safetensors.ts';
import { saveModel } from '../src/model/save.ts';
import { withVera } from '../src/model/vera.ts';

registerConvolutions(); // vera

const table: Preparation = {
  inputs: {
    kind: 'table',
    columns: [
      { name: 'size', kind: 'number', mean: 0.1, deviation: 2, unit: '€' },
      { name: '__proto__', kind: 'category', categories: ['constructor', '__proto__', 'ü'] },
      { name: 'day', kind: 'date', order: 'dmy', mean: 19_000, deviation: 31.5 },
    ],
    ignored: ['id'],
    header: true,
    decimal: ',',
  },
  outputs: { task: 'classification', label: 'kind', classes: ['no', 'yes'] },
};
const others: readonly (readonly [Preparation, inputs: number[], outputs: number])[] = [
  [
    {
      inputs: {
        kind: 'image',
        height: 2,
        width: 3,
        channels: 3,
        scale: 1 / 255,
        shift: 0,
        fit: 'letterbox',
        invert: 'auto',
      },
      outputs: { task: 'multilabel', labels: ['a', 'b'], separator: ';', threshold: 0.5 },
    },
    [2, 3, 3],
    2,
  ],
  [
    {
      inputs: { kind: 'signal', channels: ['x', 'y'], length: 4, rate: 100, standardise: 'series' },
      outputs: { task: 'regression', targets: [{ name: 'price', unit: '$', mean: 3, deviation: 0.5 }] },
    },
    [4, 2],
    1,
  ],
  [{ inputs: { kind: 'numbers' }, outputs: { task: 'classification', classes: ['one'] } }, [7], 3],
];
const card: ModelCard = {
  data: { name: 'houses', rows: 80, sha256: 'ab' },
  command: 'weightless train',
  seed: '0',
  release: '0.2.0',
  date: '2026-01-02T03:04:05Z',
  heldOut: { rows: 20, figures: [{ name: 'accuracy', value: 0.5 }] },
};

const modelOf = (input: number[], outputs: number) => sequential([dense({ units: outputs })], { input });
const tableModel = (): Model => {
  const model = modelOf([5], 2);
  setPreparation(model, table);
  return model;
};

describe('a model file', () => {
  it('keeps preparation, card and free metadata', () => {
    const model = tableModel();
    setCard(model, card);
    const file = saveModel(model, { metadata: { author: 'Ada', '': 'empty name' } });
    const read = readModel(file);
    expect(preparationOf(read)).toEqual(table);
    expect(cardOf(read)).toEqual(card);
    expect(read.metadata).toMatchObject({ author: 'Ada', '': 'empty name' });
    expect(saveModel(read)).toEqual(file);
    expect(preparationOf(withVera(read, { rank: 1 }))).toEqual(table);
    for (const [preparation, input, outputs] of others) {
      const other = modelOf(input, outputs);
      setPreparation(other, preparation);
      expect(preparationOf(readModel(saveModel(other)))).toEqual(preparation);
    }
  });

  it('without metadata is what it was, and one of an earlier release names its classes', () => {
    expect(preparationOf(readModel(saveModel(modelOf([5], 2))))).toBeUndefined();
    expect(readModel(saveModel(modelOf([5], 2)))).not.toHaveProperty('metadata');
    const earlier = { ...modelOf([5], 2), metadata: { classes: '["no","yes"]' } };
    expect(preparationOf(readModel(saveModel(earlier)))).toEqual({
      inputs: { kind: 'numbers' },
      outputs: { task: 'classification', classes: ['no', 'yes'] },
    });
  });

  it.each([
    [{ seed: '7' }, /got 'seed'/],
    [{ preparation: '{}' }, /got 'preparation'/],
    [{ note: 5 as never }, /expected texts in metadata, got 5 for 'note'/],
  ])('refuses free metadata %j', (metadata, message) => {
    expect(() => saveModel(modelOf([5], 2), { metadata: metadata as never })).toThrow(message);
    expect(() => saveModel(modelOf([5], 2), { metadata: metadata as never })).toThrow(OptionError);
  });
});

/** The table above with a change, as the text of its metadata. */
const changed = (change: (value: never) => void): string => {
  const value = structuredClone({ version: 1, ...table });
  change(value as never);
  return JSON.stringify(value);
};

describe('damaged metadata', () => {
  type Loose = {
    version: unknown;
    more: unknown;
    inputs: { kind: unknown; columns: Record<string, unknown>[]; more: unknown };
    outputs: { task: unknown; classes: unknown[] };
  };
  const column = (i: number, fields: object) =>
    changed((value: Loose) => Object.assign(value.inputs.columns[i]!, fields));
  it.each<[string, string, RegExp]>([
    ['no JSON', '{', /expected metadata.preparation to be JSON/],
    ['a list', '[]', /expected preparation to be an object/],
    ['a later version', changed((value: Loose) => (value.version = 2)), /of version 1, got 2. Use a newer release/],
    ['an unknown field', changed((value: Loose) => (value.more = 1)), /preparation to be an object of inputs, outputs/],
    ['an unknown kind', changed((value: Loose) => (value.inputs.kind = 'toString')), /inputs.kind to be one of table/],
    ['a kind that is no text', changed((value: Loose) => (value.inputs.kind = ['table'])), /inputs.kind to be one of/],
    ['no columns', changed((value: Loose) => (value.inputs.columns = [])), /a list of 1 items or more/],
    ['a kind of column', column(0, { kind: '__proto__' }), /columns.0.kind to be one of number, date, category/],
    ['a mean that is no number', column(0, { mean: null }), /columns.0.mean to be a finite number, got null/],
    ['a mean of 1e308', column(0, { mean: 1e308 }), /columns.0.mean to be a number from -1e\+100/],
    ['a negative deviation', column(0, { deviation: -1 }), /columns.0.deviation to be a number from 0/],
    [
      'a missing deviation',
      column(0, { deviation: undefined }),
      /columns.0.deviation to be a finite number, got nothing/,
    ],
    ['a name that is no text', column(0, { name: 5 }), /columns.0.name to be a string, got 5/],
    [
      'a name twice',
      column(0, { name: 'day' }),
      /expected preparation.inputs.columns to be names that differ, got 'day'/,
    ],
    ['a category twice', column(1, { categories: ['a', 'a', 'b'] }), /categories to be names that differ/],
    ['categories that are no list', column(1, { categories: { length: 3 } }), /categories to be a list/],
    [
      'too many categories',
      column(1, { categories: Array.from({ length: 1e5 }, (_, i) => `${i}`) }),
      /got 100002 inputs/,
    ],
    ['too few categories', column(1, { categories: [] }), /to fit the layers, 5 inputs and 2 outputs; got 2 inputs/],
    ['an order of dates', column(2, { order: 'ydm' }), /columns.2.order to be one of ymd, dmy, mdy/],
    ['no classes', changed((value: Loose) => (value.outputs.classes = [])), /a list of 1 items or more/],
    ['too many classes', changed((value: Loose) => value.outputs.classes.push('more')), /got 5 inputs and 3 outputs/],
    ['an unknown task', changed((value: Loose) => (value.outputs.task = 'constructor')), /outputs.task to be one of/],
  ])('%s is refused by name', (_, preparation, message) => {
    const model = readModel(saveModel({ ...modelOf([5], 2), metadata: { preparation } }));
    expect(() => preparationOf(model)).toThrow(message);
    expect(() => preparationOf(model)).toThrow(ModelFileError);
  });

  it('does not reach a file', () => {
    const inputs = {
      ...table.inputs,
      columns: [{ name: 'a', kind: 'number', mean: Number.NaN, deviation: 1 }],
    } as const;
    expect(() => setPreparation(tableModel(), { ...table, inputs } as Preparation)).toThrow(
      /mean to be a finite number/,
    );
    expect(() => setCard(tableModel(), { ...card, date: 5 as never })).toThrow(/card.date to be a string, got 5/);
  });
});

describe('dataSet', () => {
  it('keeps the names of classes', () => {
    const data = dataSet({ features: [0, 1, 2, 3], shape: [2], labels: [0, 1], classNames: ['a', 'b', 'c'] });
    expect(classNamesOf(data)).toEqual(['a', 'b', 'c']);
    expect(data.classes).toBe(3);
    const pictures = dataSet({ features: new Uint8Array(12), shape: [2, 3], labels: [0, 0], classNames: ['a'] });
    expect(pictures.preparation!.inputs).toMatchObject({ kind: 'image', height: 2, width: 3, channels: 1 });
    const named = (classNames: never) => () => dataSet({ features: [0], shape: [1], labels: [0], classNames });
    expect(named(['a', 'a'] as never)).toThrow(DataError);
    expect(named([5] as never)).toThrow(/classNames to be different texts, got \[5\]/);
    expect(named([] as never)).toThrow(DataError);
  });
});

describe('readDate', () => {
  it.each([
    ['1970-01-02', 'ymd', 1],
    ['2024/2/29', 'ymd', 19_782],
    ['29.02.2024', 'dmy', 19_782],
    ['2/29/2024 06:00', 'mdy', 19_782.25],
    ['2024-02-29T12:00:00Z', 'ymd', 19_782.5],
    ['2024-02-29 01:00:00+02:00', 'ymd', 19_782 - 1 / 24],
    ['1970-01-01T00:00:00.500Z', 'ymd', 0.5 / 86_400],
    ['0050-01-01', 'ymd', -701_265],
  ] as const)('%s (%s) is day %d', (text, order, day) => {
    expect(readDate(text, order)).toBeCloseTo(day, 9);
  });

  it.each([
    ['2023-02-29', 'ymd'],
    ['2024-13-01', 'ymd'],
    ['2024-01/01', 'ymd'],
    ['1/2/24', 'dmy'],
    ['20240101', 'ymd'],
    ['2024-01-01 24:00', 'ymd'],
    ['2024-01-01 10:60', 'ymd'],
    ['', 'ymd'],
    ['31/12/2024', 'mdy'],
  ] as const)('%s is no date (%s)', (text, order) => {
    expect(readDate(text, order)).toBeUndefined();
  });
});
