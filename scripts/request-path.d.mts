export function requestPath(url?: string): string | undefined;
