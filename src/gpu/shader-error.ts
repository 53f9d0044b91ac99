/** Formats a compiler's messages about a kernel, with its lines. Pages load this only when a shader is rejected. */
export async function compilerSays(
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
