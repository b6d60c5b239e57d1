/** Memory that has been read to the end, to be filled again. */
export interface SpareBuffers {
  /** One of exactly so many bytes, whatever is in it; undefined where there is none. */
  take(bytes: number): ArrayBuffer | undefined;
  /** Takes the memory away from whoever still holds the buffer: for them it is empty from now on. */
  put(buffer: ArrayBuffer): void;
}

/** Keeps at most `limit` buffers, the newest. */
export function createSpareBuffers(limit: number): SpareBuffers {
  const spare: ArrayBuffer[] = [];
  return {
    take: (bytes) => {
      const at = spare.findIndex(({ byteLength }) => byteLength === bytes);
      return at < 0 ? undefined : spare.splice(at, 1)[0];
    },
    put: (buffer) => {
      spare.push(structuredClone(buffer, { transfer: [buffer] }));
      if (spare.length > limit) spare.shift();
    },
  };
}
