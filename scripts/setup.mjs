/**
 * Installs what a fresh machine lacks: npm packages, a browser with WebGPU and a software driver; for the tests also
 * Firefox, Deno and Python. Uses only Node's built-in modules.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** Folder for files that tools build for themselves. Not dist/, which is packed and which builds clear. */
export const cache = join(root, 'node_modules/.cache/weightless');
const say = (line) => console.error(`setup: ${line}`);

const BROWSERS = {
  linux: ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/usr/bin/google-chrome-stable'],
  darwin: [
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
  ],
  win32: [
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
    'C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe',
  ],
};

/** Path of an installed Chrome or Chromium; WEIGHTLESS_BROWSER overrides it. */
export function findChromium() {
  if (process.env.WEIGHTLESS_BROWSER) return process.env.WEIGHTLESS_BROWSER;
  return (BROWSERS[process.platform] ?? []).find((path) => existsSync(path));
}

const FIREFOXES = {
  linux: ['/usr/bin/firefox-esr', '/usr/bin/firefox'],
  darwin: ['/Applications/Firefox.app/Contents/MacOS/firefox'],
  win32: ['C:\\Program Files\\Mozilla Firefox\\firefox.exe'],
};

/** Path of an installed Firefox; WEIGHTLESS_FIREFOX overrides it. */
export function findFirefox() {
  if (process.env.WEIGHTLESS_FIREFOX) return process.env.WEIGHTLESS_FIREFOX;
  return (FIREFOXES[process.platform] ?? []).find((path) => existsSync(path));
}

const hasCommand = (name) =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .some((folder) => ['', '.exe'].some((suffix) => existsSync(join(folder, name + suffix))));

/** The name of a C compiler; a small one suffices. */
export const findCompiler = () => ['cc', 'gcc', 'clang', 'tcc'].find(hasCommand);

const MANIFESTS = ['/usr/share/vulkan/icd.d', '/usr/local/share/vulkan/icd.d', '/etc/vulkan/icd.d'];
const MACHINE = { x64: 'x86_64', arm64: 'aarch64' }[process.arch] ?? process.arch;

/**
 * Path of Mesa's RADV from its Vulkan manifest: the driver for AMD GPUs, whose compiler works without one (bench/isa).
 */
export function findRadv() {
  for (const folder of MANIFESTS.filter(existsSync)) {
    const names = readdirSync(folder).filter((name) => /^radeon_icd\..*json$/.test(name));
    const name = names.find((one) => one.includes(MACHINE)) ?? names.find((one) => one === 'radeon_icd.json');
    if (!name) continue;
    const library = JSON.parse(readFileSync(join(folder, name), 'utf8')).ICD.library_path;
    // The loader searches for a bare name like for any library.
    return isAbsolute(library) || !library.includes('/') ? library : join(folder, library);
  }
  return undefined;
}

function checkNode() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 20)
    throw new Error(`expected Node 20 or later, got ${process.version}. Install it from https://nodejs.org`);
}

/**
 * Whether node_modules matches package-lock.json, according to npm's own record. A tree made by `npm install` is thus
 * left alone: `npm ci` would delete node_modules while other processes run from it.
 */
function packagesUpToDate(folder) {
  const record = join(folder, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const packagesOf = (path) => JSON.parse(readFileSync(path, 'utf8')).packages;
  const [wanted, present] = [packagesOf(join(folder, 'package-lock.json')), packagesOf(record)];
  const fits = ([path, { version, integrity, optional }]) => {
    const found = present[path];
    // npm skips optional packages for other platforms.
    return found ? found.version === version && found.integrity === integrity : optional === true;
  };
  return Object.entries(wanted).every((entry) => entry[0] === '' || fits(entry));
}

/** Installs the packages of a folder's lock file if some are missing or have other versions. */
function npmPackages(folder) {
  if (packagesUpToDate(folder)) return;
  say(`installing npm packages (npm ci in ${folder})`);
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  execFileSync(npm, ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  });
}

/** Debian packages that the system lacks, each with its reason. */
function missingSystemPackages({ tests, gpuCompiler }) {
  const missing = [];
  if (!findChromium())
    missing.push([
      'chromium',
      'the browser of the tests, which includes the software driver SwiftShader for machines without a GPU',
    ]);
  if (tests && !findFirefox()) missing.push(['firefox-esr', 'the second browser of the tests']);
  if (process.platform === 'linux') {
    const libraries = spawnSync('ldconfig', ['-p'], {
      encoding: 'utf8',
      env: { ...process.env, PATH: `${process.env.PATH}:/sbin:/usr/sbin` },
    });
    if (!/libvulkan\.so\.1/.test(libraries.stdout ?? ''))
      missing.push(['libvulkan1', 'the Vulkan loader, which Node needs to use a GPU']);
    if (tests && !hasCommand('python3'))
      missing.push(['python3', 'for the tests: the second implementation of the weight stream']);
    if (gpuCompiler && !findRadv())
      missing.push([
        'mesa-vulkan-drivers',
        'RADV, which compiles kernels for AMD GPUs without such a GPU, to count registers and cycles',
      ]);
    if (gpuCompiler && !findCompiler())
      missing.push(['tcc', 'a C compiler of 0.3 MB, for the wrapper driver of RADV (bench/isa/null_gpu.c)']);
  }
  return missing;
}

function systemPackages(needs) {
  const missing = missingSystemPackages(needs);
  if (missing.length === 0) return;
  const names = missing.map(([name]) => name);
  const reasons = missing.map(([name, reason]) => `  ${name}: ${reason}`).join('\n');
  const debian = process.platform === 'linux' && hasCommand('apt-get');
  if (debian && process.getuid() === 0) {
    say(`installing Debian packages:\n${reasons}`);
    const apt = (...args) =>
      execFileSync('apt-get', args, {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      });
    apt('update', '-qq');
    apt('install', '-y', '-qq', '--no-install-recommends', ...names);
    return;
  }
  const how = debian
    ? `sudo apt-get install --no-install-recommends ${names.join(' ')}`
    : "install them with your system's package manager. Google Chrome (https://www.google.com/chrome) also serves as " +
      'the browser. If a browser is not found, set WEIGHTLESS_BROWSER or WEIGHTLESS_FIREFOX to its path';
  say(`missing:\n${reasons}\nTo get them: ${how}`);
}

/**
 * Installs what a command needs; quick if nothing is missing. `tests`: also what the tests need. `gpuCompiler`: also
 * the compiler of `npm run bench -- --isa`.
 */
export function setup({ tests = false, gpuCompiler = false } = {}) {
  checkNode();
  npmPackages(root);
  if (tests) {
    npmPackages(join(root, 'test/deno'));
    npmPackages(join(root, 'test/package')); // the bundlers and TypeScript versions that the package is tested with
    npmPackages(join(root, 'bench')); // the libraries against which adapters and exported models are tested
  }
  systemPackages({ tests, gpuCompiler });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) setup({ tests: true });
