/** The compiler's messages about a kernel, with the lines they refer to. Loaded when a shader does not compile, not before. */
export async function compilerMessage(
  { label, compute }: { readonly label: string; readonly compute: { readonly module: GPUShaderModule } },
  code: string,
  error: Error,
): Promise<string> {
  const { messages } = await compute.module.getCompilationInfo();
  const lines = code.split('\n');
  const errors = messages
    .filter(({ type }) => type === 'error')
    .map(
      ({ lineNum, linePos, message }) => `  ${label}:${lineNum}:${linePos} ${message}\n    ${lines[lineNum - 1] ?? ''}`,
    );
  return `kernel ${label} did not compile:\n${errors.join('\n') || error.message}`;
}
