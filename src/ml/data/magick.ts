import { Worker } from 'node:worker_threads';
import { userError } from '../../protocol/errors.ts';
import type { MagickFormat } from './imageFormat.ts';
import { workerScript } from './workerScript.ts';

/** A file for ImageMagick. Its content is in memory that threads share, so that none copies it. */
export interface MagickImage {
  readonly content: Uint8Array<SharedArrayBuffer>;
  readonly format: MagickFormat;
  /** The decoder has turned the image already, as far as flips go: libtiff does, for YCbCr. */
  readonly isFlipped?: boolean;
}

export type MagickRequest = MagickImage & { readonly wish: 'size' | 'tiff' };

export type MagickAnswer =
  | { readonly width: number; readonly height: number }
  | { readonly tiff: Uint8Array<ArrayBuffer> }
  | { readonly error: string };

/** ImageMagick's memory grows and never shrinks, so its thread ends after a larger file than this. */
const keptTiffBytes = 32 * 2 ** 20;

let thread: Worker | undefined;
let turn: Promise<unknown> = Promise.resolve();

/** Size of the stored pixels, by the header alone. */
export async function magickSize(image: MagickImage, seconds: number): Promise<{ width: number; height: number }> {
  const answer = await inTurn({ ...image, wish: 'size' }, seconds);
  if ('width' in answer) return answer;
  throw new Error('ImageMagick gave no size');
}

/**
 * The first picture of an image in a format that libvips does not read, as an uncompressed 8-bit TIFF: upright, with its
 * alpha and its colour profile. ImageMagick, compiled to WebAssembly, does it in a thread of its own, which starts with the
 * first such file and can be ended while it computes. One image at a time.
 *
 * Throws a user error if it takes longer than `seconds` or breaks off, an `Error` with ImageMagick's words otherwise.
 */
export async function magickTiff(image: MagickImage, seconds: number): Promise<Buffer> {
  const answer = await inTurn({ ...image, wish: 'tiff' }, seconds);
  if (!('tiff' in answer)) throw new Error('ImageMagick gave no image');
  if (answer.tiff.length > keptTiffBytes) await end();
  return Buffer.from(answer.tiff.buffer, answer.tiff.byteOffset, answer.tiff.byteLength);
}

async function inTurn(request: MagickRequest, seconds: number): Promise<MagickAnswer> {
  // A thread may also end for a reason that is not the file's.
  const answer = turn.then(async () => (await ask(request, seconds)) ?? (await ask(request, seconds)));
  turn = answer.catch(() => undefined);
  const given = await answer;
  if (!given) throw userError('The decoder fails on this file; it is damaged, so replace it or leave it out.');

  if ('error' in given) throw new Error(given.error);
  return given;
}

/** The thread's answer; undefined if it ended instead. Throws if it takes too long. */
async function ask(request: MagickRequest, seconds: number): Promise<MagickAnswer | undefined> {
  const worker = (thread ??= start());
  // Idle, it keeps no process alive.
  worker.ref();
  let timer: NodeJS.Timeout | undefined;
  let answer: MagickAnswer | undefined;
  try {
    answer = await new Promise<MagickAnswer | undefined>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error('timeout')), seconds * 1000);
      worker.once('message', resolve);
      for (const event of ['error', 'exit']) worker.once(event, () => resolve(undefined));
      worker.postMessage(request);
    });
    return answer;
  } finally {
    clearTimeout(timer);
    for (const event of ['message', 'error', 'exit']) worker.removeAllListeners(event);
    worker.unref();
    // What state it is in nobody knows: the next image gets a new one.
    if (!answer) await end();
  }
}

async function end(): Promise<void> {
  const ended = thread;
  thread = undefined;
  await ended?.terminate();
}

function start(): Worker {
  return new Worker(workerScript('magickWorker'), { execArgv: [] });
}
