export function shortenNames(code: string, options: { fragment: boolean; taken: ReadonlySet<string> }): string;
