import { createRequire } from 'node:module';
import type { JpegDecoder } from './jpegDecoder.ts';

/** The package's decoder, as far as it is used; it brings no types. */
interface PackageDecoder {
  /** The place for a file of so many bytes. */
  getEncodedBuffer(length: number): Uint8Array;
  decode(): void;
  getDecodedBuffer(): Uint8Array;
  getFrameInfo(): { readonly width: number; readonly height: number; readonly componentCount: number };
}
type DecoderFactory = () => Promise<{ readonly JPEGDecoder: new () => PackageDecoder }>;

const require = createRequire(import.meta.url);

/** libjpeg-turbo in WebAssembly, without vectors: runs everywhere. */
export async function wasmJpegDecoder(): Promise<JpegDecoder> {
  const factory = require('@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs') as DecoderFactory;
  const { JPEGDecoder } = await factory();
  let decoder = new JPEGDecoder();
  return {
    decode(content) {
      try {
        decoder.getEncodedBuffer(content.length).set(content);
        decoder.decode();
      } catch {
        // What it held is lost with the exception.
        decoder = new JPEGDecoder();
        return undefined;
      }
      const { width, height, componentCount } = decoder.getFrameInfo();
      return componentCount === 3 ? { width, height, data: decoder.getDecodedBuffer() } : undefined;
    },
  };
}
