/** The compiled CPU kernels (scripts/wasm.mjs). */
declare module '*.wasm' {
  /** Modules, the length of each (u32, little endian) before it, deflated (RFC 1950), as base64. */
  const packed: string;
  export default packed;
}

/** The bundle of the .ts beside it, as text (scripts/wasm.mjs). */
declare module '*.source' {
  const code: string;
  export default code;
}
