/** How the browsers of the tests are started: Chromium (Dawn) and Firefox (wgpu), headless, on a software adapter or on what there is. */
import { findChromium, findFirefox } from './setup.mjs';

const QUIET = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const chromium = (args) => ({
  executablePath: findChromium() ?? missing('Chromium or Chrome'),
  args: [...QUIET, ...args],
});

/** Options of puppeteer by browser. Chromium has SwiftShader built in; Firefox takes the Vulkan driver of a manifest, else the first. */
export const browsers = {
  Chromium: ({ hardware } = {}) =>
    chromium(['--enable-unsafe-webgpu', ...(hardware ? [] : ['--use-webgpu-adapter=swiftshader'])]),
  /** As most Chromiums without a GPU are: navigator.gpu has no adapter. */
  'Chromium without WebGPU': () => chromium([]),
  Firefox: ({ driver } = {}) => ({
    browser: 'firefox',
    executablePath: findFirefox() ?? missing('Firefox'),
    extraPrefsFirefox: {
      'dom.webgpu.enabled': true,
      'dom.webgpu.workers.enabled': true,
      'gfx.webgpu.ignore-blocklist': true,
      'dom.testing.testutils.enabled': true, // TestUtils.gc(), which the pages of the tests call
    },
    ...(driver && { env: { ...process.env, VK_ICD_FILENAMES: driver } }),
  }),
};

function missing(what) {
  throw new Error(`expected ${what}, found none. Run: node scripts/setup.mjs`);
}
