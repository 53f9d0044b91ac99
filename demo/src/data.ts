/** The training images: gzipped IDX files next to the page, unpacked by the browser. */
import { type DataSet, dataSet } from 'weightless-gpu/train';
import { parseIdx } from '../../src/data/idx.ts';
import type { DataName } from './models.ts';

/** data/index.json: the data sets that the build found, with the size of each file. */
export type DataIndex = Partial<Record<DataName, Record<string, number>>>;

export interface TrainingData {
  readonly train: DataSet;
  readonly test: DataSet;
}

export async function fetchIndex(): Promise<DataIndex> {
  const response = await fetch('data/index.json');
  if (!response.ok) throw new Error(`data/index.json: HTTP status ${response.status}`);
  return response.json();
}

const loaded = new Map<DataName, Promise<TrainingData>>();

/** The training and test images of a data set, fetched once. */
export function fetchData(
  name: DataName,
  sizes: Record<string, number>,
  onProgress: (bytes: number, total: number) => void,
): Promise<TrainingData> {
  const known = loaded.get(name);
  if (known) return known;
  const total = Object.values(sizes).reduce((a, b) => a + b, 0);
  let done = 0;
  const read = async (file: string) => {
    const packed = await fetchBytes(`data/${name}/${file}`, (more) => {
      done += more;
      onProgress(done, total);
    });
    // Some servers unpack the file in transit.
    return parseIdx(packed[0] === 0x1f && packed[1] === 0x8b ? await unpack(packed) : packed, file);
  };
  const part = async (part: 'train' | 'test') => {
    const [images, labels] = await Promise.all([read(`${part}-images.gz`), read(`${part}-labels.gz`)]);
    return dataSet({ features: images.values, shape: images.shape.slice(1), labels: labels.values, classes: 10 });
  };
  const made = Promise.all([part('train'), part('test')]).then(([train, test]) => ({ train, test }));
  loaded.set(name, made);
  made.catch(() => loaded.delete(name));
  return made;
}

async function fetchBytes(url: string, onMore: (bytes: number) => void): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(url);
  if (!response.ok || !response.body) throw new Error(`${url}: HTTP status ${response.status}`);
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  const reader = response.body.getReader();
  for (let { done, value } = await reader.read(); !done && value; { done, value } = await reader.read()) {
    chunks.push(value);
    onMore(value.length);
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

async function unpack(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
