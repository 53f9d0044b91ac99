/** Types of wgsl.mjs, for the tests, the bench and vitest.config.ts. */
import type { Plugin as EsbuildPlugin } from 'esbuild';
import type { Plugin } from 'vite';
import type { Binding, KernelSource } from '../src/core/kernel-source.ts';

export function squeeze(code: string): string;
export function readWgsl(file: string): KernelSource & { bindings?: Binding[]; params?: string[][] };
export function readShortWgsl(file: string): KernelSource;
export function esbuildWgsl(options?: { short?: boolean }): EsbuildPlugin;
export function viteWgsl(): Plugin;
