/** The Castagnoli form of the package, which its own types leave out. */
declare module 'crc-32/crc32c.js' {
  const crc32c: { readonly buf: (bytes: Uint8Array) => number };
  export = crc32c;
}
