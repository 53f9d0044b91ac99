/**
 * Runs with each test file: what the GPU reported outside any scope fails the file (gpu.ts). And turns on relaxed SIMD, which the V8 of
 * Node 20 has, but not by itself.
 */
import { setFlagsFromString } from 'node:v8';
import { afterAll } from 'vitest';
import { throwUncaught } from './gpu.ts';
import './resting.ts';

if (process.versions.v8?.startsWith('11.')) setFlagsFromString('--experimental-wasm-relaxed-simd');
afterAll(throwUncaught);
