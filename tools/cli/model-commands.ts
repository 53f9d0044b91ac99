/** `weightless eval | inspect`: what to do with a model file. */

import { basename } from 'node:path';
import { adapterName } from '../../src/backend/adapter.ts';
import type { Backend } from '../../src/backend/backend.ts';
import { writeResult } from '../../src/core/files.ts';
import { layerParameters } from '../../src/layers/kinds.ts';
import { layerName } from '../../src/model/layer-name.ts';
import { modelSize, placeLayers } from '../../src/model/model.ts';
import { cardOf, preparationOf } from '../../src/model/preparation-metadata.ts';
import { readModel } from '../../src/model/safetensors.ts';
import { measure } from '../../src/train/figures.ts';
import { STREAM_VERSION } from '../../src/weights/stream.ts';
import { type DataChoice, dataTitle, openData } from '../common/data.ts';
import { readModelFile } from '../common/model-file.ts';
import { bytes, count, print, progress, say, table } from '../common/output.ts';
import { inputsFor, rowsFor } from './eval-data.ts';
import { figuresJson, figuresText, namesOf, scoreOf } from './figures.ts';
import { cardPage, cardSections } from './model-card.ts';

export async function evalCommand(
  context: Backend,
  file: string,
  { json, ...choice }: { json?: boolean } & DataChoice,
): Promise<void> {
  const data = await readModelFile(file);
  const model = readModel(data);
  const { notes, load } = await openData(choice, inputsFor(model));
  const rows = await load('test');
  if (!json) for (const note of notes) say(`${dataTitle(choice)}: ${note}`);
  const test = rowsFor(file, model, dataTitle(choice), rows);
  const bar = progress(json);
  const started = performance.now();
  const figures = await measure(context, model, test, {
    onProgress: (done) => bar.update('test rows', done, test.rows),
  });
  bar.stop();
  const { trainedParameters } = modelSize(model);
  const names = namesOf(test);
  const answer = {
    ...figuresJson(figures, names),
    data: dataTitle(choice),
    images: test.rows,
    modelBytes: data.length,
    trainedParameters,
    seconds: (performance.now() - started) / 1000,
    adapter: adapterName(context.adapter),
  };
  const score = scoreOf(figures);
  const overview = () =>
    table(
      [`test ${score.name}`, 'loss', 'data', 'test rows', 'model', 'trained', 'adapter'],
      [
        [
          score.text,
          figures.loss.toFixed(4),
          answer.data,
          count(test.rows),
          bytes(data.length),
          count(trainedParameters),
          answer.adapter,
        ],
      ],
    );
  print(json, answer, () => [overview(), figuresText(figures, names)].join('\n'));
}

export interface InspectOptions {
  json?: boolean;
  /** Where the model card goes, in Markdown. */
  card?: string;
}

export async function inspectCommand(file: string, { json, card }: InspectOptions): Promise<void> {
  const data = await readModelFile(file);
  const model = readModel(data);
  const size = modelSize(model);
  const stored = 4 * (size.storedNumbers + size.regeneratedWeights);
  const placedLayers = placeLayers(model);
  const layers = placedLayers.map((placed) => ({
    ...placed.spec,
    ...('layers' in placed.spec && { layers: placed.spec.layers.length }), // they follow, each for itself
    index: placed.index,
    input: placed.input,
    output: placed.output,
    parameters: layerParameters(placed),
  }));
  const answer = {
    file,
    bytes: data.length,
    streamVersion: STREAM_VERSION,
    seed: model.seed,
    input: model.input,
    layers,
    ...size,
    preparation: preparationOf(model),
    card: cardOf(model),
  };
  const sections = cardSections(model);
  if (card !== undefined) {
    const network = placedLayers.map(({ spec }) => layerName(spec)).join(', ');
    const lines = [
      ['layers', network],
      ['input', model.input.join(' x ')],
      ['trained numbers', count(size.trainedParameters)],
      ['size', bytes(data.length)],
    ] as const;
    await writeResult(card, cardPage(basename(file), [{ title: 'Model', lines }, ...sections]));
  }
  print(json, answer, () =>
    [
      ...sections.map(({ title, lines }) => table([title, ''], lines)),
      table(
        ['', 'layer', 'input', 'output', 'weights', 'in the file'],
        layers.map((layer, i) => [
          layer.index,
          layerName(placedLayers[i]!.spec),
          layer.input.join(' x '),
          layer.output.join(' x '),
          'weights' in layer ? `${layer.weights}, regenerated` : layer.parameters.length ? 'trained' : '',
          layer.parameters.map(({ name, shape }) => `${name.split('.').at(-1)} (${shape.join(', ')})`).join('  '),
        ]),
      ),
      `input ${model.input.join(' x ')}, seed ${model.seed}, weight stream version ${STREAM_VERSION}`,
      `${count(size.trainedParameters)} trained numbers; ${bytes(data.length)} on disk, ${bytes(stored)} if the random weights were stored`,
    ].join('\n'),
  );
}
