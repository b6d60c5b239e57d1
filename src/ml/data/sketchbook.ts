import { type Sketch, sketchBytes } from './sketch.ts';

/** Sketches by the place of their file in a list, one after the other in memory that threads share: 256 MB a million. */
export interface Sketches {
  /** Nothing where a file has none. */
  readonly bytes: Uint8Array;
  /** 0 where a file has none. */
  readonly aspects: Float32Array;
}

/** Sketches that are still being gathered. */
export interface Sketchbook {
  readonly sketches: Sketches;
  has(file: string): boolean;
  /** Keeps a file's sketch; files that are not in the list are passed over. */
  add(file: string, sketch: Sketch): void;
}

/** A book with room for these files. */
export function createSketchbook(files: readonly string[]): Sketchbook {
  const places = new Map(files.map((file, index) => [file, index]));
  const bytes = new Uint8Array(new SharedArrayBuffer(files.length * sketchBytes));
  const aspects = new Float32Array(new SharedArrayBuffer(files.length * Float32Array.BYTES_PER_ELEMENT));
  return {
    sketches: { bytes, aspects },
    has: (file) => (aspects[places.get(file) ?? -1] ?? 0) > 0,
    add: (file, { luma, aspect }) => {
      const place = places.get(file);
      if (place === undefined) return;
      bytes.set(luma, place * sketchBytes);
      aspects[place] = aspect;
    },
  };
}
