export function declaredKinds(): Record<string, number>;
export function checkWasmDistributions(file: string, text: string): void;
