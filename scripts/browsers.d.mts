/** Types of browsers.mjs, for the tests. */
import type { LaunchOptions } from 'puppeteer-core';

export interface BrowserChoice {
  /** Chromium's own choice of an adapter. */
  readonly hardware?: boolean | undefined;
  /** A Vulkan driver's manifest, for Firefox. */
  readonly driver?: string | undefined;
}
export const browsers: Record<
  'Chromium' | 'Chromium without WebGPU' | 'Firefox',
  (choice?: BrowserChoice) => LaunchOptions
>;
