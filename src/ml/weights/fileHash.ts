import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

/** The sha256 of a file in hex. Throws the file system's error, or an `AbortError` once `signal` is aborted. */
export async function sha256OfFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash, { signal });
  return hash.digest('hex');
}

/** Why a file is not the one that was asked for; undefined where it is. `sha256` may be the first digits of a hash. */
export async function mismatchOf(
  path: string,
  expected: { readonly sha256: string; readonly bytes?: number },
  signal?: AbortSignal,
): Promise<string | undefined> {
  const { size } = await stat(path);
  if (expected.bytes !== undefined && size !== expected.bytes) {
    return `it has ${size} bytes instead of ${expected.bytes}`;
  }
  const sha256 = await sha256OfFile(path, signal);
  if (sha256.startsWith(expected.sha256)) return undefined;
  return `its sha256 starts with ${sha256.slice(0, 8)} instead of ${expected.sha256.slice(0, 8)}`;
}
