import { readFileSync } from 'node:fs';

/** What `kernels/pixels.ts` exports; its comments say what the arguments mean. */
interface Kernels {
  readonly memory: WebAssembly.Memory;
  resizeWidth(
    source: number,
    sourceWidth: number,
    rows: number,
    target: number,
    width: number,
    stride: number,
    ranges: number,
    weights: number,
    taps: number,
  ): void;
  resizeHeight(
    source: number,
    stride: number,
    bytes: number,
    target: number,
    height: number,
    ranges: number,
    weights: number,
    taps: number,
  ): void;
  warp(
    source: number,
    width: number,
    height: number,
    target: number,
    size: number,
    starts: number,
    stepX: number,
    stepY: number,
  ): void;
  digest(source: number, bytes: number, target: number): void;
}

/** Written by the build; the sources find it there too. */
const file = new URL(
  import.meta.url.endsWith('.ts') ? '../../../dist/ml/pixels.wasm' : './pixels.wasm',
  import.meta.url,
);
const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)));

/** The inner loops of the data path, one instance a thread. */
export const kernels = exports as Kernels;

const pageBytes = 65536;
/** Vectors reach beyond the end of what they work on by less than this, and begin at multiples of it. */
const vectorBytes = 16;

/** The pixels that lie at the beginning of the memory. */
let present: Uint8Array | undefined;

/**
 * Places for arrays of so many bytes in the kernels' memory, one after the other from its beginning, of which the first has
 * `pixels` at its start: an image is copied there once for all that is done with it in turn. Whatever was in the others
 * before is lost, so a caller is done with its places before it hands on the turn, and writes over no pixels.
 */
export function placesFrom(pixels: Uint8Array, ...sizes: readonly number[]): number[] {
  const places = placesFor(sizes);
  if (present !== pixels) bytesAt(places[0] ?? 0, pixels.length).set(pixels);
  present = pixels;
  return places;
}

function placesFor(sizes: readonly number[]): number[] {
  let end = 0;
  const places = sizes.map((size) => {
    const place = end;
    end += Math.ceil((size + vectorBytes) / vectorBytes) * vectorBytes;
    return place;
  });
  const missing = end - kernels.memory.buffer.byteLength;
  if (missing > 0) kernels.memory.grow(Math.ceil(missing / pageBytes));
  return places;
}

/** A view of bytes in the kernels' memory, until the next `placesFrom`. */
export function bytesAt(place: number, length: number): Uint8Array {
  return new Uint8Array(kernels.memory.buffer, place, length);
}

/** Copies 32-bit numbers into the kernels' memory. */
export function putIntegers(place: number, values: Int32Array): void {
  new Int32Array(kernels.memory.buffer, place, values.length).set(values);
}
