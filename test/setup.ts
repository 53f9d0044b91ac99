/** Runs with each test file: what the GPU reported outside any scope fails the file (gpu.ts). */
import { afterAll } from 'vitest';
import { throwUncaught } from './gpu.ts';
import './resting.ts';

afterAll(throwUncaught);
