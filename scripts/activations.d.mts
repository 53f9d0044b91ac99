export function declaredActivations(): string[];
export function checkWgslActivations(file: string, text: string): void;
export function checkWasmActivations(file: string, text: string): void;
