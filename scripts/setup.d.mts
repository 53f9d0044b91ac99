/** Types of setup.mjs, for the tests. */
export const root: string;
export const cache: string;
export function findChromium(): string | undefined;
export function findFirefox(): string | undefined;
export function findRadv(): string | undefined;
export function findCompiler(): string | undefined;
export function setup(options?: { tests?: boolean; gpuCompiler?: boolean }): void;
