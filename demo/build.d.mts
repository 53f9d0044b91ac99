export function buildDemo(
  folder: string,
  options?: { images?: boolean; library?: boolean; quickly?: boolean },
): Promise<void>;
export function folderBytes(folder: string): number;
