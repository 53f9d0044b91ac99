/**
 * Fashion-MNIST (Xiao et al., arXiv:1708.07747) from a Debian package; each file is checked by its SHA-256. For Node.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { DataError } from '../core/errors.ts';
import type { DataSet } from './dataset.ts';
import { loadIdxFolder, type Part } from './idx-folder.ts';

const PACKAGE = 'dataset-fashion-mnist';
const DIRECTORY = '/usr/share/datasets/fashion-mnist';

const hint =
  `On Debian or Ubuntu: sudo apt-get install ${PACKAGE}. Elsewhere: download the four files of ` +
  'https://github.com/zalandoresearch/fashion-mnist into a folder and name it by --data-dir';

const sha256 = {
  'train-images-idx3-ubyte': 'c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888',
  'train-labels-idx1-ubyte': 'bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9',
  't10k-images-idx3-ubyte': '5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b',
  't10k-labels-idx1-ubyte': '0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34',
};

/** Names of the classes, by label. */
export const fashionClasses: readonly string[] = [
  'T-shirt',
  'trousers',
  'pullover',
  'dress',
  'coat',
  'sandal',
  'shirt',
  'sneaker',
  'bag',
  'ankle boot',
];

/** Fashion-MNIST's 60,000 training or 10,000 test images, 28 x 28 bytes, scaled to 0 ... 1. Throws `DataError`. */
export const loadFashionMnist = (part: Part, directory = DIRECTORY): Promise<DataSet> =>
  loadIdxFolder({ title: 'Fashion-MNIST', directory, sha256, hint, classes: 10 }, part);

/** Whether the Debian package is installed. */
export const hasFashionMnist = (): boolean => existsSync(DIRECTORY);

/**
 * Installs the Debian package if it is missing and the user is root. Throws `DataError` that says how to get it
 * otherwise.
 */
export function installFashionMnist(say: (line: string) => void): void {
  if (hasFashionMnist()) return;
  if (process.getuid?.() !== 0 || spawnSync('apt-get', ['--version']).status !== 0) {
    throw new DataError(`Fashion-MNIST: expected ${DIRECTORY}, found none. ${hint}`);
  }
  say(`installing the Debian package ${PACKAGE} (31 MB)`);
  const apt = (...args: string[]) =>
    spawnSync('apt-get', args, { encoding: 'utf8', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
  apt('update', '-qq');
  const { status, stderr } = apt('install', '-y', '-qq', '--no-install-recommends', PACKAGE);
  if (status !== 0) throw new DataError(`Fashion-MNIST: apt-get could not install ${PACKAGE}: ${stderr}. ${hint}`);
}
