/**
 * Runs for each test file. GPU errors outside any error scope fail the file (gpu.ts). It also enables relaxed SIMD,
 * which Node 20 supports but does not enable by default.
 */
import { setFlagsFromString } from 'node:v8';
import { afterAll } from 'vitest';
import { throwUncaught } from './gpu.ts';
import './resting.ts';

if (process.versions.v8?.startsWith('11.')) setFlagsFromString('--experimental-wasm-relaxed-simd');
afterAll(throwUncaught);
