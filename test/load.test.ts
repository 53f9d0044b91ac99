/** `loadModel` from an address: what runs at the same time, what is told, what fails by name. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { LoadError, ModelFileError } from '../src/core/errors.ts';
import type { Context } from '../src/gpu/context.ts';
import { dense, halfDense } from '../src/layers/dense.ts';
import { sequential } from '../src/model/model.ts';
import { saveModel } from '../src/model/save.ts';
import { loadModel } from '../src/predict/load.ts';
import { expectSame } from './compare.ts';
import { freshContext, testContext } from './gpu.ts';

const model = sequential([halfDense({ units: 40 }), dense({ units: 700 })], { input: [30], seed: 3 });
const file = saveModel(model);
const x = Float32Array.from({ length: 30 }, (_, i) => Math.cos(i));

let close = () => {};
afterEach(() => close());

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  close = () => {
    server.closeAllConnections();
    server.close();
  };
  return `http://localhost:${(server.address() as AddressInfo).port}/model.safetensors`;
}

it('gives the predictor of the same bytes, and tells how far it is', async () => {
  const url = await serve((_, response) => response.end(file));
  const context = await testContext();
  const told: [number, number | undefined][] = [];
  const loaded = await loadModel(context, url, { onProgress: (...step) => told.push(step) });
  const direct = await loadModel(Promise.resolve(context), file);
  expectSame(await loaded.predict(x), await direct.predict(x));
  expect(loaded.model).toEqual(model);
  expect(told.at(-1)).toEqual([file.length, file.length]);
  const steps = told.map(([bytes]) => bytes);
  expect(steps).toEqual([...steps].sort((a, b) => a - b));
  await Promise.all([loaded.dispose(), direct.dispose()]);
});

it('asks for the file before the device is there, and compiles before the file is', async () => {
  let asked = false;
  let finish = () => {};
  const url = await serve((_, response) => {
    asked = true;
    response.write(file.subarray(0, 2000));
    finish = () => response.end(file.subarray(2000));
  });
  let open: (context: Context) => void = () => {};
  const opening = new Promise<Context>((resolve) => {
    open = resolve;
  });
  const loading = loadModel(opening, new URL(url));
  await expect.poll(() => asked).toBe(true);
  const context = await freshContext();
  expect(context.pipelines.size).toBe(0);
  open(context);
  await expect.poll(() => context.pipelines.size).toBe(2);
  const bytes = context.memory.bytes;
  finish();
  const predictor = await loading;
  expect(context.pipelines.size).toBe(2);
  expect((await predictor.predict(x)).length).toBe(700);
  await predictor.dispose();
  expect(context.memory.bytes).toBe(bytes);
  context.dispose();
});

it.each<[string, RequestListener, RegExp]>([
  [
    'an HTML page',
    (_, response) => response.end('<!DOCTYPE html><title>single page</title>'),
    /got an HTML page. Is the address right/,
  ],
  ['another file', (_, response) => response.end('x'.repeat(500)), /header of at most/],
  ['a truncated file', (_, response) => response.end(file.subarray(0, file.length - 1)), /truncated/],
  ['a truncated header', (_, response) => response.end(file.subarray(0, 100)), /truncated/],
  ['nothing', (_, response) => response.end(), /expected 8 bytes or more/],
])('refuses %s', async (_, answer, message) => {
  const url = await serve(answer);
  const error = await loadModel(testContext(), url).catch((error) => error);
  expect(error).toBeInstanceOf(ModelFileError);
  expect(error.message).toMatch(message);
});

it('names an HTTP status and its address, and a connection that breaks', async () => {
  const url = await serve((_, response) => response.writeHead(404).end('no'));
  const missing = await loadModel(testContext(), url).catch((error) => error);
  expect(missing).toBeInstanceOf(LoadError);
  expect(missing).toMatchObject({
    url,
    status: 404,
    message: `${url}: expected a model file, got HTTP status 404 Not Found`,
  });
  close();
  const refused = await loadModel(testContext(), url).catch((error) => error);
  expect(refused).toMatchObject({ name: 'LoadError', url, status: undefined });
  const cut = await serve((_, response) => {
    response.writeHead(200, { 'content-length': file.length });
    response.write(file.subarray(0, 3000), () => response.destroy());
  });
  await expect(loadModel(testContext(), cut)).rejects.toThrow(/could not read it/);
});

it('stops by a signal, and when the context fails', async () => {
  let closed = false;
  const url = await serve((_, response) => {
    response.write(file.subarray(0, 3000));
    response.on('close', () => {
      closed = true;
    });
  });
  const reason = new Error('enough');
  await expect(loadModel(testContext(), url, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  const stop = new AbortController();
  const loading = loadModel(testContext(), url, { signal: stop.signal, onProgress: () => stop.abort(reason) });
  await expect(loading).rejects.toBe(reason);
  await expect.poll(() => closed).toBe(true);
  closed = false;
  const late = new Promise<Context>((_, reject) => setTimeout(() => reject(new Error('no device')), 50));
  await expect(loadModel(late, url)).rejects.toThrow('no device');
  await expect.poll(() => closed).toBe(true);
});
