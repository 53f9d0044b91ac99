/** Named numbers on the device: the parameters of a model, the state of its optimizer. */
import { readFloats, uploadBuffer } from './buffers.ts';
import { type DeviceContext, guarded } from './device.ts';

/** A buffer for each, under its name. */
export const uploadParameters = (
  context: DeviceContext,
  parameters: Iterable<readonly [name: string, numbers: Float32Array]>,
): Promise<Map<string, GPUBuffer>> =>
  guarded(
    context,
    'uploading parameters',
    () => new Map([...parameters].map(([name, numbers]) => [name, uploadBuffer(context, numbers, name)])),
  );

/** The numbers of the named buffers, so many each. */
export const downloadParameters = (
  context: DeviceContext,
  buffers: ReadonlyMap<string, GPUBuffer>,
  lengths: Iterable<readonly [name: string, length: number]>,
): Promise<[name: string, numbers: Float32Array<ArrayBuffer>][]> =>
  Promise.all(
    [...lengths].map(async ([name, length]) => [name, await readFloats(context, buffers.get(name)!, length)]),
  );
