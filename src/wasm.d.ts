/** The compiled CPU kernels (scripts/wasm.mjs). */
declare module '*.wasm' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}

/** The bundle of the .ts beside it, as text (scripts/wasm.mjs). */
declare module '*.source' {
  const code: string;
  export default code;
}
