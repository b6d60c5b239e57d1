/** Writes `NAME.wasm` of each module into `folder`, by default the build’s, unless it is that of the source. */
export function compileKernels(folder?: string): void;
