/** Preparation and card in the metadata of a model: written as JSON with a version, and checked when they are read. */
import { dateOrders } from '../core/dates.ts';
import { DataError, ModelFileError } from '../core/errors.ts';
import { quoted } from '../core/quote.ts';
import {
  type Check,
  distinct,
  finite,
  list,
  names,
  oneOf,
  optional,
  positive,
  record,
  size,
  someNames,
  tagged,
  text,
  within,
  yesOrNo,
} from './checks.ts';
import { asObject, parseJson } from './container.ts';
import { fileLimits } from './limits.ts';
import { MODEL_FILE } from './metadata.ts';
import { inputSize, type Model, outputSize } from './model.ts';
import {
  type ClassOutputs,
  type ColumnSpec,
  type ImageInputs,
  type InputSpec,
  type LabelOutputs,
  type ModelCard,
  type NumberColumn,
  type NumberInputs,
  type OutputSpec,
  outputNames,
  type Preparation,
  pictureFits,
  preparedSize,
  type SignalInputs,
  type TableInputs,
  type TargetOutputs,
  type TargetSpec,
} from './preparation.ts';

/** Of both entries. */
const VERSION = 1;

/** Numbers of a table are at most this large (data/limits.ts). */
const magnitude = within(-1e100, 1e100);
const deviation = within(0, 1e100);

const column = tagged<'kind', ColumnSpec>('kind', {
  number: record<NumberColumn>({
    name: text,
    kind: oneOf(['number']),
    mean: magnitude,
    deviation,
    unit: optional(text),
  }),
  date: record({ name: text, kind: oneOf(['date']), order: oneOf(dateOrders), mean: magnitude, deviation }),
  category: record({ name: text, kind: oneOf(['category']), categories: names }),
});

const inputs = tagged<'kind', InputSpec>('kind', {
  table: record<TableInputs>({
    kind: oneOf(['table']),
    columns: distinct(list(column, 1), ({ name }) => name),
    ignored: names,
    header: yesOrNo,
    decimal: optional(oneOf(['.', ','])),
  }),
  image: record<ImageInputs>({
    kind: oneOf(['image']),
    height: size,
    width: size,
    channels: oneOf([1, 3]),
    scale: finite,
    shift: finite,
    fit: oneOf(pictureFits),
    invert: oneOf([true, false, 'auto']),
  }),
  signal: record<SignalInputs>({
    kind: oneOf(['signal']),
    channels: someNames,
    length: size,
    rate: optional(positive),
    standardise: oneOf(['series', 'training', 'none']),
    means: optional(list(magnitude)),
    deviations: optional(list(positive)),
  }),
  numbers: record<NumberInputs>({ kind: oneOf(['numbers']) }),
});

const outputs = tagged<'task', OutputSpec>('task', {
  classification: record<ClassOutputs>({
    task: oneOf(['classification']),
    label: optional(text),
    classes: someNames,
  }),
  multilabel: record<LabelOutputs>({
    task: oneOf(['multilabel']),
    label: optional(text),
    labels: someNames,
    separator: text,
    threshold: within(0, 1),
  }),
  regression: record<TargetOutputs>({
    task: oneOf(['regression']),
    targets: distinct(
      list(record<TargetSpec>({ name: text, unit: optional(text), mean: magnitude, deviation }), 1),
      ({ name }) => name,
    ),
  }),
});

const preparation = record<Preparation>({ inputs, outputs });

/** A preparation of a caller; `what` opens the message. Throws `DataError` for what could not be read back from a file. */
export function expectPreparation(what: string, value: Preparation): Preparation {
  try {
    return preparation(value, 'preparation');
  } catch (error) {
    const found = (error as Error).message.replace(`${MODEL_FILE}: `, '').replace(' The file is damaged.', '');
    throw new DataError(`${what}: ${found} Pass data.preparation of a data set, or leave it out.`);
  }
}

const card = record<ModelCard>({
  data: record<ModelCard['data']>({ name: text, rows: size, sha256: optional(text) }),
  command: optional(text),
  seed: text,
  release: text,
  date: text,
  heldOut: optional(
    record<NonNullable<ModelCard['heldOut']>>({
      rows: size,
      figures: list(record({ name: text, value: finite })),
    }),
  ),
});

/** The entry of this name, checked; undefined where the model has none. Throws `ModelFileError`. */
function entryOf<T>({ metadata }: Model, name: string, check: Check<T>): T | undefined {
  const json = metadata?.[name];
  if (json === undefined) return undefined;
  const { version, ...fields } = asObject(
    MODEL_FILE,
    name,
    parseJson(MODEL_FILE, `metadata.${name}`, json, fileLimits.dataMarks),
  );
  if (version !== VERSION) {
    throw new ModelFileError(
      `${MODEL_FILE}: expected metadata.${name} of version ${VERSION}, got ${quoted(version)}. Use a newer release.`,
    );
  }
  return check(fields, name);
}

function setEntry(model: Model, name: string, value: object | undefined): void {
  const { [name]: _, ...others } = model.metadata ?? {};
  model.metadata = value ? { ...others, [name]: JSON.stringify({ version: VERSION, ...value }) } : others;
}

/**
 * What the model says about its data, or undefined. Files of earlier releases name their classes alone. Throws
 * `ModelFileError` for damaged metadata, and for one that doesn't fit the layers.
 */
export function preparationOf(model: Model): Preparation | undefined {
  const found = entryOf(model, 'preparation', preparation) ?? earlierPreparation(model);
  if (found) expectFit(model, found);
  return found;
}

function earlierPreparation({ metadata }: Model): Preparation | undefined {
  if (metadata?.classes === undefined) return undefined;
  const classes = list(text, 1)(parseJson(MODEL_FILE, 'metadata.classes', metadata.classes), 'classes');
  return { inputs: { kind: 'numbers' }, outputs: { task: 'classification', classes } };
}

/** Throws `ModelFileError` unless inputs and outputs are as many as the layers have. */
function expectFit(model: Model, { inputs, outputs }: Preparation): void {
  if (inputs.kind === 'signal') expectMoments(inputs);
  const prepared = preparedSize(inputs) ?? inputSize(model);
  const named = outputNames(outputs).length;
  // A classifier may have more outputs than its data had classes.
  const outputsFit = outputs.task === 'classification' ? named <= outputSize(model) : named === outputSize(model);
  if (prepared === inputSize(model) && outputsFit) return;
  throw new ModelFileError(
    `${MODEL_FILE}: expected metadata.preparation to fit the layers, ${inputSize(model)} inputs and ${outputSize(model)} ` +
      `outputs; got ${prepared} inputs and ${named} outputs. The file is damaged.`,
  );
}

/** Throws `ModelFileError` unless each channel has a mean and a deviation where they are used, and only there. */
function expectMoments({ channels, standardise, means = [], deviations = [] }: SignalInputs): void {
  const count = standardise === 'training' ? channels.length : 0;
  if (means.length === count && deviations.length === count) return;
  throw new ModelFileError(
    `${MODEL_FILE}: expected ${count} means and deviations of channels, got ${means.length} and ${deviations.length}. ` +
      'The file is damaged.',
  );
}

/** Where the model comes from, or undefined. Throws `ModelFileError`. */
export const cardOf = (model: Model): ModelCard | undefined => entryOf(model, 'card', card);

/** Puts it into the metadata of the model, or removes it. Throws `ModelFileError` for what could not be read back. */
export function setPreparation(model: Model, value: Preparation | undefined): void {
  if (value) expectFit(model, preparation(value, 'preparation'));
  setEntry(model, 'preparation', value);
}

/** Puts it into the metadata of the model, or removes it. Throws `ModelFileError` for what could not be read back. */
export function setCard(model: Model, value: ModelCard | undefined): void {
  if (value) card(value, 'card');
  setEntry(model, 'card', value);
}
