/** The modules that `import packed from '.../wasm/NAME.wasm'` gives, for the file of that name. */
export function packWasm(file: string): Promise<string>;
