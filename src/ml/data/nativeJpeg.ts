import { existsSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../../protocol/errors.ts';
import { loadKoffi } from '../native/koffi.ts';
import type { JpegDecoder } from './jpegDecoder.ts';
import { roomForPixels } from './pixelKernels.ts';

/** Written by the build; the sources find it there too. */
const library = new URL(
  `${import.meta.url.endsWith('.ts') ? '../../../dist/ml/' : './'}libturbojpeg-linux-${process.arch}.so`,
  import.meta.url,
);

/* Of turbojpeg.h, version 3: what a handle is for, its parameters, and what they and the pixels may be. */
const forDecompression = 1;
const parameter = { stopOnWarning: 0, width: 5, height: 6, colourSpace: 8, scanLimit: 13, maxPixels: 24 };
/** RGB and YCbCr, the ones of three channels. */
const threeChannels: ReadonlySet<number> = new Set([0, 1]);
const rgb = 0;

/** Larger JPEGs are not asked for. */
const mostPixels = 2 ** 20;
/** Progressive JPEGs of more scans than any program writes take long; libvips decodes them with a deadline. */
const mostScans = 100;

/**
 * libjpeg-turbo's own library, which computes with the processor's vectors: pixels as in WebAssembly in a quarter of the
 * time; only where a damaged file decodes without a word, numbers beyond its 16 bits may become other pixels. `undefined` on
 * systems that there is no library for, and if it does not load (`nativeJpegFailure`).
 */
export function nativeJpegDecoder(): JpegDecoder | undefined {
  return opened().decoder;
}

/** Why the library of this machine does not load; `undefined` if it does, or if there is none for the system. */
export function nativeJpegFailure(): string | undefined {
  return opened().failure;
}

interface Opened {
  readonly decoder?: JpegDecoder;
  readonly failure?: string;
}

let once: Opened | undefined;

function opened(): Opened {
  return (once ??= open());
}

function open(): Opened {
  const path = fileURLToPath(library);
  if (process.platform !== 'linux' || !existsSync(path)) return {};
  try {
    return { decoder: decoderOf(path) };
  } catch (error) {
    return { failure: messageOf(error) };
  }
}

function decoderOf(path: string): JpegDecoder {
  // Loaded here only: a machine that cannot load it has the decoder in WebAssembly.
  const turbo = loadKoffi().load(path);
  const init = turbo.func('void *tj3Init(int)') as (purpose: number) => unknown;
  const destroy = turbo.func('void tj3Destroy(void *)') as (handle: unknown) => void;
  const get = turbo.func('int tj3Get(void *, int)') as (handle: unknown, name: number) => number;
  const set = turbo.func('int tj3Set(void *, int, int)') as (handle: unknown, name: number, value: number) => number;
  const readHeader = turbo.func('int tj3DecompressHeader(void *, const uint8_t *, size_t)') as (
    handle: unknown,
    content: Uint8Array,
    bytes: number,
  ) => number;
  const decompress = turbo.func('int tj3Decompress8(void *, const uint8_t *, size_t, uint8_t *, int, int)') as (
    handle: unknown,
    content: Uint8Array,
    bytes: number,
    pixels: Uint8Array,
    pitch: number,
    format: number,
  ) => number;

  const openHandle = () => {
    const handle = init(forDecompression);
    for (const [name, value] of [
      [parameter.stopOnWarning, 1],
      [parameter.scanLimit, mostScans],
      [parameter.maxPixels, mostPixels],
    ] as const) {
      if (set(handle, name, value) !== 0) throw new Error('libjpeg-turbo does not take its parameters');
    }
    return handle;
  };
  let handle = openHandle();

  const decoded = (content: Uint8Array) => {
    if (readHeader(handle, content, content.length) !== 0) return undefined;
    const [width, height] = [get(handle, parameter.width), get(handle, parameter.height)];
    const isUsable = width > 0 && height > 0 && width * height <= mostPixels;
    if (!isUsable || !threeChannels.has(get(handle, parameter.colourSpace))) return undefined;
    const data = roomForPixels(width * height * 3);
    if (decompress(handle, content, content.length, data, width * 3, rgb) !== 0) return undefined;
    return { width, height, data };
  };
  return {
    decode(content) {
      const image = decoded(content);
      if (!image) {
        // After a warning a handle refuses every other file.
        destroy(handle);
        handle = openHandle();
      }
      return image;
    },
  };
}
