/** What computes, for people to read. Firefox leaves all of the texts empty. */
export interface AdapterDescription {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  /** True for an adapter that computes on the CPU (SwiftShader, llvmpipe). */
  readonly software: boolean;
}

/** The adapter in a few words: 'SwiftShader (software)', 'nvidia ampere'. */
export function adapterName({ vendor, architecture, device, description, software }: AdapterDescription): string {
  const name = description || device || [vendor, architecture].filter(Boolean).join(' ') || 'unnamed adapter';
  return software ? `${name} (software)` : name;
}
