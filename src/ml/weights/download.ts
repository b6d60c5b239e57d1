import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Response } from 'undici';
import { cancelled, messageOf, UserError, userError } from '../../protocol/errors.ts';
import { mismatchOf } from './fileHash.ts';
import { FinalFailure, requestFile, ServerRefusal } from './httpRequest.ts';

export interface DownloadProgress {
  readonly file: string;
  /** Bytes that are here, those of an earlier attempt included. */
  readonly received: number;
  /** Unknown where neither we nor the server know it. */
  readonly total: number | undefined;
}

export interface DownloadOptions {
  readonly url: string;
  /** Where the file shall lie; its folder must exist. Until it is whole it grows as `<path>.part`. */
  readonly path: string;
  /** sha256 in hex, or its first digits. */
  readonly sha256: string;
  readonly bytes?: number;
  readonly onProgress?: (progress: DownloadProgress) => void;
  readonly signal?: AbortSignal;
  /** Pause before another attempt; a second without it. */
  readonly retryMilliseconds?: number;
  /** How long nothing may arrive before the connection is given up; half a minute without it. */
  readonly stallMilliseconds?: number;
}

const attempts = 3;
/** No server may fill the disk where it does not say how long its file is. */
const maximumBytes = 4 * 1024 ** 3;

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch {
    return 0;
  }
}

/** The whole file's size as an answer gives it, and the byte at which its body starts. */
function extentOf(response: Response): { start: number; total: number | undefined } {
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get('content-range') ?? '');
  if (response.status === 206 && range) {
    return { start: Number(range[1]), total: range[2] === '*' ? undefined : Number(range[2]) };
  }
  const length = response.headers.get('content-length');
  const encoded = response.headers.get('content-encoding');
  return { start: 0, total: length !== null && encoded === null ? Number(length) : undefined };
}

/** Writes chunks as they come; aborts `stalled` where none comes for a while. */
async function writeBody(
  handle: FileHandle,
  body: NonNullable<Response['body']>,
  extent: { start: number; limit: number },
  onReceived: (received: number) => void,
  { stalled, patience }: { readonly stalled: AbortController; readonly patience: number },
): Promise<number> {
  let received = extent.start;
  const watch = setTimeout(() => stalled.abort(new Error('no data arrived for a while')), patience);
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      watch.refresh();
      if (received + chunk.byteLength > extent.limit) throw new FinalFailure('the server sends more than the file has');
      await handle.write(chunk, 0, chunk.byteLength, received);
      received += chunk.byteLength;
      onReceived(received);
    }
  } catch (error) {
    // What `fetch` says of a body that ends in the middle.
    throw error instanceof TypeError ? new Error('the connection was cut', { cause: error }) : error;
  } finally {
    clearTimeout(watch);
  }
  return received;
}

/** One attempt, which goes on from what an earlier one left where the server can. */
async function attempt(part: string, options: DownloadOptions, stalled: AbortController): Promise<void> {
  const { url, path, bytes, onProgress, signal, stallMilliseconds: patience = 30_000 } = options;
  const signals = signal ? [signal, stalled.signal] : [stalled.signal];
  const present = await sizeOf(part);
  if (bytes !== undefined && present >= bytes) return;
  const watch = setTimeout(() => stalled.abort(new Error('the server does not answer')), patience);
  let response;
  try {
    response = await requestFile(url, { from: present }, AbortSignal.any(signals));
  } catch (error) {
    // A part that is as long as the file, or longer, leaves nothing to ask for.
    if (error instanceof ServerRefusal && error.status === 416) await rm(part, { force: true });
    throw error;
  } finally {
    clearTimeout(watch);
  }
  const { start, total = bytes } = extentOf(response);
  if (!response.body || start > present) throw new Error('the server sent another part than was asked for');
  const handle = await open(part, start > 0 ? 'r+' : 'w');
  try {
    const report = (received: number) => onProgress?.({ file: path, received, total });
    const limit = bytes ?? total ?? maximumBytes;
    const received = await writeBody(handle, response.body, { start, limit }, report, { stalled, patience });
    if (total !== undefined && received < total) throw new Error('the connection was cut');
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Time in which a server has to say how large a file is, in milliseconds: it is asked while somebody waits. */
const questionMilliseconds = 8000;

/** The size of a file in bytes, as far as its server says it. Throws where the server cannot be reached or has it not. */
export async function askForSize(url: string, signal?: AbortSignal): Promise<number | undefined> {
  const patience = AbortSignal.timeout(questionMilliseconds);
  const signals = signal ? [signal, patience] : [patience];
  try {
    // Not HEAD, which some servers refuse: what is asked is what the download will ask.
    const response = await requestFile(url, { from: 0, to: 0 }, AbortSignal.any(signals));
    await response.body?.cancel();
    return extentOf(response).total;
  } catch (error) {
    if (signal?.aborted) throw cancelled();
    throw error;
  }
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? ` (${messageOf(error.cause)})` : '';
  return `${messageOf(error)}${cause}`;
}

function isFinal(error: unknown): boolean {
  if (error instanceof ServerRefusal) return !error.mayPass;
  return error instanceof FinalFailure || error instanceof UserError;
}

/** Attempts until the part is whole and checked. Throws the last attempt's failure. */
async function fetchPart(part: string, options: DownloadOptions): Promise<void> {
  const { signal, retryMilliseconds = 1000 } = options;
  for (let turn = 1; ; turn++) {
    try {
      await attempt(part, options, new AbortController());
      const mismatch = await mismatchOf(part, options, signal);
      if (mismatch === undefined) return;
      await rm(part, { force: true });
      throw new Error(`what arrived is another file: ${mismatch}`);
    } catch (error) {
      if (signal?.aborted) throw cancelled();
      if (turn === attempts || isFinal(error)) throw error;
      await delay(retryMilliseconds);
    }
  }
}

/**
 * Downloads a file, checks its size and hash, and gives it its name only then. A cut connection is taken up again where
 * the server supports ranges, also by a later call. Throws a `CancelledError` once `signal` is aborted (the part stays),
 * otherwise a user error with the reason.
 */
export async function downloadFile(options: DownloadOptions): Promise<void> {
  const part = `${options.path}.part`;
  if (options.signal?.aborted) throw cancelled();
  try {
    await fetchPart(part, options);
    await rename(part, options.path);
  } catch (error) {
    if (options.signal?.aborted) throw cancelled();
    if (error instanceof UserError) throw error;
    throw userError(`${options.url} could not be downloaded: ${reasonOf(error)}.`, error);
  }
}
