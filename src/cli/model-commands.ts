/** `weightless eval | predict | inspect`: what to do with a model file. */
import { adapterName, type Context } from '../context.ts';
import type { CpuContext } from '../cpu/cpu.ts';
import { pngToInput } from '../data/png.ts';
import { DataError } from '../errors.ts';
import { readInput } from '../files.ts';
import { layerParameters } from '../layers/layers.ts';
import { modelSize, placeLayers } from '../model/model.ts';
import { createPredictor, softmax } from '../model/predictor.ts';
import { readModel } from '../model/safetensors.ts';
import { evaluate } from '../train/fit.ts';
import { STREAM_VERSION } from '../weights/stream.ts';
import { layerName } from './architecture.ts';
import { type DataChoice, dataTitle, loadData } from './data.ts';
import { bytes, count, percent, print, progress, table } from './output.ts';

export async function evalCommand(
  context: Context | CpuContext,
  file: string,
  { json, ...choice }: { json?: boolean } & DataChoice,
): Promise<void> {
  const data = await readInput(file);
  const model = readModel(data);
  const test = await loadData(choice, 'test');
  const bar = progress(json);
  const started = performance.now();
  const result = await evaluate(context, model, test, {
    onProgress: (done) => bar.update('test images', done, test.rows),
  });
  bar.stop();
  const { trainedParameters } = modelSize(model);
  const answer = {
    accuracy: result.accuracy,
    loss: result.loss,
    data: dataTitle(choice),
    images: test.rows,
    modelBytes: data.length,
    trainedParameters,
    seconds: (performance.now() - started) / 1000,
    adapter: adapterName(context.adapter),
  };
  print(json, answer, () =>
    table(
      ['test accuracy', 'loss', 'data', 'images', 'model', 'trained', 'adapter'],
      [
        [
          percent(answer.accuracy),
          answer.loss.toFixed(4),
          answer.data,
          count(test.rows),
          bytes(data.length),
          count(trainedParameters),
          answer.adapter,
        ],
      ],
    ),
  );
}

export async function predictCommand(
  context: Context,
  file: string,
  pictures: readonly string[],
  { json, invert }: { json?: boolean; invert: 'auto' | boolean },
): Promise<void> {
  const model = readModel(await readInput(file));
  const [height, width] = model.input;
  if (model.input.length !== 2 || !height || !width) {
    throw new DataError(`predict: expected a model of pictures (height, width), got input ${model.input.join(' x ')}`);
  }
  const predictor = await createPredictor(context, model);
  const answers: { picture: string; class: number; scores: number[]; logits: number[] }[] = [];
  for (const picture of pictures) {
    const input = pngToInput(await readInput(picture), [height, width], invert);
    const logits = await predictor.predict(input);
    const scores = [...softmax(logits, logits.length)];
    answers.push({ picture, class: scores.indexOf(Math.max(...scores)), scores, logits: [...logits] });
  }
  await predictor.dispose();
  print(json, answers, () =>
    table(
      ['picture', 'class', 'score', 'next'],
      answers.map(({ picture, class: best, scores }) => {
        const order = scores.map((_, i) => i).sort((a, b) => scores[b]! - scores[a]!);
        return [picture, best, percent(scores[best]!), `${order[1]} (${percent(scores[order[1]!]!)})`];
      }),
    ),
  );
}

export async function inspectCommand(file: string, { json }: { json?: boolean }): Promise<void> {
  const data = await readInput(file);
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
  };
  print(json, answer, () =>
    [
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
