/**
 * Launch options for the tests' browsers: Chromium (Dawn) and Firefox (wgpu), headless, on a software adapter or the
 * GPU.
 */
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

/**
 * Puppeteer options by browser. Chromium includes SwiftShader. Firefox uses the given Vulkan manifest, or the first
 * driver.
 */
export const browsers = {
  Chromium: ({ hardware } = {}) =>
    chromium(['--enable-unsafe-webgpu', ...(hardware ? [] : ['--use-webgpu-adapter=swiftshader'])]),
  /** Like most Chromiums without a GPU: navigator.gpu offers no adapter. */
  'Chromium without WebGPU': () => chromium([]),
  Firefox: ({ driver } = {}) => ({
    browser: 'firefox',
    executablePath: findFirefox() ?? missing('Firefox'),
    extraPrefsFirefox: {
      'dom.webgpu.enabled': true,
      'dom.webgpu.workers.enabled': true,
      'gfx.webgpu.ignore-blocklist': true,
      'dom.testing.testutils.enabled': true, // test pages call TestUtils.gc()
    },
    ...(driver && { env: { ...process.env, VK_ICD_FILENAMES: driver } }),
  }),
};

function missing(what) {
  throw new Error(`expected ${what}, found none. Run: node scripts/setup.mjs`);
}
