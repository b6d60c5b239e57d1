/** What of WebAssembly the kernels use; TypeScript declares it with the browser alone. */
declare namespace WebAssembly {
  interface Memory {
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  const Memory: new (descriptor: { readonly initial: number }) => Memory;
  type Module = object;
  const Module: new (content: Uint8Array) => Module;
  const Instance: new (
    module: Module,
    imports?: Readonly<Record<string, Readonly<Record<string, Memory>>>>,
  ) => { readonly exports: unknown };
}
