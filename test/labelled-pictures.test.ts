/** `dataSet.fromPictures`: pixels of any size as rows of one size, the same numbers as `classify` makes of them. */
import { describe, expect, it } from 'vitest';
import { DataError, OptionError } from '../src/core/errors.ts';
import { createContext, createPredictor, dense, loadModel, randomDense, sequential } from '../src/index.ts';
import { dataSet, fit, saveModel } from '../src/train.ts';

/** A vertical or a horizontal bar, dark on a transparent ground, on a canvas of this size. */
function bar(label: 'down' | 'across', size: number, at: number) {
  const data = new Uint8ClampedArray(4 * size * size);
  for (let i = 2; i < size - 2; i++) {
    for (let j = at; j < at + size / 8; j++) data[4 * (label === 'down' ? i * size + j : j * size + i) + 3] = 255;
  }
  return { picture: { width: size, height: size, data }, label };
}
const fromCount = (count: number) => Array.from({ length: count }, () => bar('down', 16, 5));
const examples = [16, 20, 28].flatMap((size) =>
  [0.3, 0.5, 0.6].flatMap((share) =>
    (['down', 'across'] as const).map((label) => bar(label, size, Math.floor(share * size))),
  ),
);

describe('pictures with labels', () => {
  it('become rows of one size, light on dark, with the classes in the order in which they first come', async () => {
    const data = await dataSet.fromPictures(examples, { width: 8, height: 12 });
    expect(data).toMatchObject({ rows: 18, shape: [12, 8], classes: 2 });
    expect([...data.labels.subarray(0, 4)]).toEqual([0, 1, 0, 1]);
    expect(data.preparation).toEqual({
      inputs: {
        kind: 'image',
        width: 8,
        height: 12,
        channels: 1,
        scale: 1 / 255,
        shift: 0,
        fit: 'stretch',
        invert: 'auto',
      },
      outputs: { task: 'classification', classes: ['down', 'across'] },
    });
    expect(data.features[0]).toBe(0); // the ground
    expect(Math.max(...data.features)).toBeGreaterThan(0.4);
    expect((await dataSet.fromPictures(examples, { channels: 3, width: 4, height: 4 })).shape).toEqual([4, 4, 3]);
  });
  it('train a model whose file classifies pictures of other sizes', async () => {
    const context = await createContext({ backend: 'cpu', threads: 1 });
    const data = await dataSet.fromPictures(examples);
    const model = sequential([randomDense({ units: 128 }), dense({ units: 2 })], { input: data.shape, seed: 3 });
    for await (const _ of fit(context, model, data, { solver: 'ridge' }));
    const predictor = await loadModel(context, saveModel(model));
    for (const { picture, label } of [bar('down', 40, 20), bar('across', 24, 12)]) {
      expect(await predictor.classify(picture, { top: 1 })).toMatchObject([{ label }]);
    }
    const same = await (await createPredictor(context, model)).predict(data.features as Float32Array);
    const scores = await predictor.classify(examples.map(({ picture }) => picture));
    for (const [row, predictions] of scores.entries()) {
      const [a, b] = [same[2 * row]!, same[2 * row + 1]!];
      expect(predictions[0]!.label).toBe(a > b ? 'down' : 'across');
      expect(predictions[0]!.probability).toBeCloseTo(1 / (1 + Math.exp(-Math.abs(a - b))), 5);
    }
  });
  it('are encoded like others by a preparation', async () => {
    const { preparation, features } = await dataSet.fromPictures(examples, { width: 6, height: 6, invert: true });
    const again = await dataSet.fromPictures(examples.slice(1), { preparation: preparation! });
    expect(again.features).toEqual(features.subarray(36));
    expect([...again.labels.subarray(0, 2)]).toEqual([1, 0]);
  });
});

describe('wrong pictures', () => {
  it('that would take gigabytes together are refused before they are drawn', async () => {
    const many = fromCount(20);
    const refused = dataSet.fromPictures(many, { width: 4096, height: 4096 });
    await expect(refused).rejects.toThrow(/expected examples of at most 268435456 numbers in all, got 335544320/);
  });
  const [example] = examples;
  it.each([
    [undefined, /expected a list of \{ picture, label \}/],
    [[], /expected at least one example, got none/],
    [[example, { picture: [1, 2], label: 'x' }], /expected a picture in example 2: a canvas/],
    [[null], /expected a picture in example 1/],
    [[{ ...example, label: 3 }], /expected the name of a class as label of example 1, got 3/],
    [[{ ...example, label: '' }], /label of example 1/],
    [
      [{ picture: { width: 2, height: 2, data: new Uint8Array(3) }, label: 'x' }],
      /fromPictures: expected data of 16 bytes/,
    ],
    [[{ picture: { width: 0, height: 2, data: new Uint8Array(0) }, label: 'x' }], /expected a picture of 1 to/],
    [
      [{ picture: new Blob(['x']), label: 'x' }],
      /fromPictures: expected pixels as \{ width, height, data \}, got Blob/,
    ],
  ])('%# are refused by name', async (wrong, message) => {
    const refused = dataSet.fromPictures(wrong as never);
    await expect(refused).rejects.toThrow(DataError);
    await expect(refused).rejects.toThrow(message);
  });
  it.each([
    [{ width: 0 }, /expected width to be an integer of 1 or more, got 0/],
    [{ height: 1.5 }, /expected height/],
    [{ width: 1e5, height: 1e5 }, /expected a size of at most 16777216 pixels, got 100000 x 100000/],
    [{ channels: 2 }, /expected channels to be 1 or 3, got 2/],
    [{ fit: 'crop' }, /expected fit to be one of stretch, letterbox/],
    [{ invert: 'yes' }, /expected invert to be true, false or 'auto'/],
    [{ size: 28 }, /size/],
  ])('%j is refused by name', async (options, message) => {
    const refused = dataSet.fromPictures(examples, options as never);
    await expect(refused).rejects.toThrow(OptionError);
    await expect(refused).rejects.toThrow(message);
  });
  it('a class that the training pictures did not have is named', async () => {
    const { preparation } = await dataSet.fromPictures(examples);
    const other = { ...example!, label: 'circle' };
    await expect(dataSet.fromPictures([other], { preparation: preparation! })).rejects.toThrow(
      /expected a class of the training pictures \(down, across\) in example 1; got 'circle'/,
    );
    const rows = dataSet.fromRows([
      { a: 1, label: 'x' },
      { a: 2, label: 'y' },
    ]);
    await expect(dataSet.fromPictures(examples, { preparation: rows.preparation! })).rejects.toThrow(
      /expected the preparation of pictures with classes/,
    );
  });
});
