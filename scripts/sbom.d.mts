export function addToSbom(target: string, root: string, files: readonly string[]): void;
