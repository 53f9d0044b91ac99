/** Types of bundle.mjs, for the bench. */
export function bundleAround(
  main: readonly [name: string, path: string],
  others: Readonly<Record<string, string>>,
): Promise<Map<string, string>>;
