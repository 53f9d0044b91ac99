/** Predictions from raw rows and pictures in a page: the same as in Node. */
import { describe, expect, it } from 'vitest';
import { dense, halfDense } from '../../src/layers/dense.ts';
import { sequential } from '../../src/model/model.ts';
import type { Preparation } from '../../src/model/preparation.ts';
import { setPreparation } from '../../src/model/preparation-metadata.ts';
import { saveModel } from '../../src/model/save.ts';
import { createContext } from '../../src/open.ts';
import { loadModel } from '../../src/predict/load.ts';
import type { Prediction } from '../../src/predict/predictions.ts';
import { browserNames, openPage } from './harness.ts';

function fileOf(input: number[], preparation: Preparation): Uint8Array<ArrayBuffer> {
  const model = sequential([halfDense({ units: 16 }), dense({ units: 2 })], { input, seed: 5 });
  setPreparation(model, preparation);
  return saveModel(model);
}

const outputs = { task: 'classification', classes: ['no', 'yes'] } as const;
const table = fileOf([5], {
  inputs: {
    kind: 'table',
    columns: [
      { name: 'size', kind: 'number', mean: 3, deviation: 2, unit: '€' },
      { name: 'colour', kind: 'category', categories: ['red', 'grün', 'blue'] },
      { name: 'day', kind: 'date', order: 'dmy', mean: 19_000, deviation: 300 },
    ],
    ignored: [],
    header: true,
    decimal: ',',
  },
  outputs,
});
const pictures = fileOf([6, 5, 3], {
  inputs: {
    kind: 'image',
    height: 6,
    width: 5,
    channels: 3,
    scale: 1 / 255,
    shift: 0,
    fit: 'letterbox',
    invert: false,
  },
  outputs,
});
const rows = [
  { colour: 'grün', size: '5,5 €', day: '4.3.2022 10:30' },
  { size: 5.5, day: null, colour: 'pink' },
];
/** 12 x 8 pixels: each column and row of its own colour. */
const pixels = Uint8ClampedArray.from({ length: 4 * 12 * 8 }, (_, i) =>
  i % 4 === 3 ? 255 : (37 * (i >> 2) + 90 * (i % 4)) % 256,
);

async function inNode(): Promise<Prediction[][]> {
  const context = createContext({ backend: 'cpu' });
  const [ofTable, ofPictures] = [await loadModel(context, table), await loadModel(context, pictures)];
  return [...(await ofTable.classify(rows)), await ofPictures.classify({ width: 12, height: 8, data: pixels })];
}

describe.each(browserNames)('%s', (name) => {
  it('classifies rows, canvases, bitmaps and picture files as Node does; the code for it loads at the first call', async () => {
    const { page, url, errors } = await openPage(name, {
      'table.safetensors': table,
      'pictures.safetensors': pictures,
    });
    await page.goto(url('blank.html'));
    const found = (await page.evaluate(`(async () => {
      const w = await import('./weightless.js');
      const context = w.createContext({ backend: 'cpu' });
      const table = await w.loadModel(context, 'table.safetensors');
      const loaded = () => performance.getEntriesByType('resource').filter(({ name }) => name.includes('classify')).length;
      const before = loaded();
      const answers = await table.classify(${JSON.stringify(rows)});
      const after = loaded();
      const error = await table.classify({ size: 1 }).catch((error) => [error instanceof w.DataError, error.message]);
      const canvas = Object.assign(document.createElement('canvas'), { width: 12, height: 8 });
      const drawing = canvas.getContext('2d');
      const data = new ImageData(Uint8ClampedArray.from(${JSON.stringify([...pixels])}), 12, 8);
      drawing.putImageData(data, 0, 0);
      const blob = await new Promise((done) => canvas.toBlob(done, 'image/png'));
      const model = await w.loadModel(context, 'pictures.safetensors');
      const pictures = await model.classify([data, canvas, await createImageBitmap(canvas), blob]);
      const broken = await model.classify(new Blob(['no picture'])).catch((error) => [error instanceof w.DataError, error.message]);
      return { before, after, answers, pictures, error, broken };
    })()`)) as Record<string, unknown> & { answers: Prediction[][]; pictures: Prediction[][] };
    const [first, second, picture] = await inNode();
    const close = (got: Prediction[], want: Prediction[]) => {
      expect(got.map(({ label }) => label)).toEqual(want.map(({ label }) => label));
      for (const [i, { probability }] of got.entries())
        expect(Math.abs(probability - want[i]!.probability)).toBeLessThan(1e-5);
    };
    close(found.answers[0]!, first!);
    close(found.answers[1]!, second!);
    for (const one of found.pictures) close(one, picture!);
    expect([found.before, found.after]).toEqual([0, 1]);
    expect(found.error).toEqual([
      true,
      expect.stringMatching(/expected the columns 'size', 'colour', 'day'; got no 'colour', 'day'/),
    ]);
    expect(found.broken).toEqual([true, expect.stringMatching(/expected a picture that the browser can decode/)]);
    expect(errors).toEqual([]);
  });
});
