/** Types of wgsl.mjs, for the tests and vitest.config.ts. */
import type { Plugin } from 'vite';
import type { Binding, KernelSource } from '../src/kernel-source.ts';

export function squeeze(code: string): string;
export function readWgsl(file: string): KernelSource & { bindings?: Binding[]; params?: string[][] };
export function viteWgsl(): Plugin;
