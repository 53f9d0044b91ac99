/** The compiled CPU kernels, or a module of an npm package (scripts/wasm.mjs). */
declare module '*.wasm' {
  /** Modules, each preceded by its length (u32, little endian), deflated (RFC 1950), as base64. */
  const packed: string;
  export default packed;
}

/** The bundle of the .ts file of the same stem, as text (scripts/wasm.mjs). */
declare module '*.source' {
  const code: string;
  export default code;
}
