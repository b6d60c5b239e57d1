/** What of WebAssembly the data path uses; TypeScript declares it with the browser alone. */
declare namespace WebAssembly {
  interface Memory {
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  type Module = object;
  const Module: new (content: Uint8Array) => Module;
  const Instance: new (module: Module) => { readonly exports: unknown };
}
