declare module '*.wgsl' {
  const source: import('./kernel-source.ts').KernelSource;
  export default source;
}
