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
    exact: boolean,
  ): void;
  warp(
    source: number,
    width: number,
    height: number,
    target: number,
    size: number,
    a: number,
    b: number,
    c: number,
    d: number,
    e: number,
    f: number,
    vectors: number,
  ): void;
  pack(rows: number, stride: number, bytes: number, count: number): void;
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

/** The pixels that lie in the memory, and where. */
let present: { readonly pixels: Uint8Array; readonly place: number } | undefined;

/**
 * Places for arrays of so many bytes in the kernels' memory, of which the first has `pixels` at its start: an image is
 * brought there once for all that is done with it in turn. Whatever was in the others before is lost, so a caller is done
 * with its places before it hands on the turn, and writes over no pixels.
 */
export function placesFrom(pixels: Uint8Array, reach: number, ...sizes: readonly number[]): number[] {
  const held = present?.pixels === pixels ? present : undefined;
  const source = held?.place ?? 0;
  const others = sizes.reduce((sum, size) => sum + padded(size), 0);
  const end = source + padded(reach);
  let next = others <= source ? 0 : end;
  growTo(Math.max(end, next + others));
  if (!held) bytesAt(source, pixels.length).set(pixels);
  present = { pixels, place: source };
  const places = sizes.map((size) => {
    const place = next;
    next += padded(size);
    return place;
  });
  return [source, ...places];
}

/** Room in the kernels' memory for a decoder to write pixels into, which need not be brought there then. */
export function roomForPixels(bytes: number): Uint8Array {
  growTo(padded(bytes));
  const pixels = bytesAt(0, bytes);
  present = { pixels, place: 0 };
  return pixels;
}

/** Gives memory for so many bytes that threads can share. */
export type SharedRoom = (bytes: number) => Uint8Array<SharedArrayBuffer>;

/** A copy of pixels that a kernel has made, in memory of `room`. They need not be brought back to go on with. */
export function takePixels(place: number, bytes: number, room: SharedRoom): Uint8Array {
  const pixels = room(bytes);
  pixels.set(bytesAt(place, bytes));
  present = { pixels, place };
  return pixels;
}

function padded(size: number): number {
  return Math.ceil((size + vectorBytes) / vectorBytes) * vectorBytes;
}

function growTo(end: number): void {
  const missing = end - kernels.memory.buffer.byteLength;
  if (missing > 0) kernels.memory.grow(Math.ceil(missing / pageBytes));
}

/** A view of bytes in the kernels' memory, until the next `placesFrom`. */
export function bytesAt(place: number, length: number): Uint8Array {
  return new Uint8Array(kernels.memory.buffer, place, length);
}

/** Copies 32-bit numbers into the kernels' memory. */
export function putIntegers(place: number, values: Int32Array): void {
  new Int32Array(kernels.memory.buffer, place, values.length).set(values);
}
