declare module '*.wgsl' {
  const source: import('./kernel-source.ts').KernelSource;
  export default source;
}

declare module '*.txt' {
  const text: string;
  export default text;
}
