import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { list, text, whole } from '../../../protocol/bounded.ts';
import { messageOf } from '../../../protocol/errors.ts';
import { makePrivateFolder, privateFileMode } from '../../cache/privateFolder.ts';
import { diskBudget } from '../../data/diskCache.ts';
import type { Feeds } from '../../engine/engine.ts';
import { elementCount, type StateDict, type Tensor } from '../../graph/tensor.ts';
import { stateShapes } from '../../networks/stateShapes.ts';
import type { RunNetwork } from '../run/runNetwork.ts';
import type { FrozenPart } from './frozenPart.ts';
import { joinColumns, layoutOf, type RowLayout, splitColumns } from './joinedRows.ts';

export interface SharedFeaturesOptions {
  /** Where the rows lie, of all runs that share them. */
  readonly folder: string;
  /** Two frozen parts of one key make the same of the same pixels. */
  readonly key: string;
  /** Called once with a sentence when features can no longer be kept. */
  readonly onWarning: (message: string) => void;
}

/** What tells a frozen part from others: its graph, its weights, and `facts` of who computes it and how. */
export function frozenKey(
  { prefix, preprocessing }: Pick<RunNetwork, 'prefix' | 'preprocessing'>,
  state: StateDict,
  facts: readonly unknown[],
): string {
  const hash = createHash('sha256').update(JSON.stringify([preprocessing, facts]));
  if (prefix) {
    const graph = prefix(1);
    hash.update(JSON.stringify([graph.inputs, graph.nodes, graph.outputs]));
    for (const name of stateShapes(graph).keys()) {
      const tensor = state.get(name);
      hash.update(name);
      if (tensor) hash.update(new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength));
    }
  }
  return hash.digest('hex').slice(0, 32);
}

/**
 * A frozen part that computes only what no run of this folder has: an image is known by its pixels, so that views, splits
 * and orders may differ between runs. Each process writes a file of its own and reads those of the others as they were
 * when it began.
 */
export async function withSharedFeatures(frozen: FrozenPart, options: SharedFeaturesOptions): Promise<FrozenPart> {
  const rows = await openRows(options);
  const feedsOf = async (images: Tensor, signal: AbortSignal | undefined): Promise<Feeds> => {
    const pixels = pixelsOf(images);
    const digests = pixels.map((image) =>
      createHash('sha256')
        .update(image)
        .digest('hex')
        .slice(0, 2 * digestBytes),
    );
    const missing = [...digests.keys()].filter((place) => !rows.has(digests[place] ?? ''));
    const fresh = missing.length > 0 ? await frozen.feeds(imagesAt(images, pixels, missing), signal) : undefined;
    const layout = fresh ? layoutOf(fresh) : rows.layout();
    if (!layout) throw new Error('shared features have no layout');
    if (fresh)
      await rows.add(
        missing.map((place) => digests[place] ?? ''),
        joinColumns(fresh, missing.length, layout),
        layout,
      );
    const matrix = new Float32Array(digests.length * layout.width);
    for (const [place, digest] of digests.entries())
      await rows.read(digest, matrix.subarray(place * layout.width, (place + 1) * layout.width));
    return splitColumns(matrix, digests.length, layout);
  };
  // Two batches at a time, as a validation beside the batch that is prepared ahead, would write over each other's rows.
  let turn: Promise<unknown> = Promise.resolve();
  return {
    computes: frozen.computes,
    feeds: (images, signal) => {
      const feeds = turn.then(() => feedsOf(images, signal));
      // A promise of nothing keeps no features.
      turn = feeds.then(
        () => undefined,
        () => undefined,
      );
      return feeds;
    },
    dispose: async () => {
      await rows.close();
      await frozen.dispose();
    },
  };
}

function pixelsOf({ data, shape }: Tensor): Uint8Array[] {
  if (!(data instanceof Uint8Array)) throw new TypeError('images are uint8');
  const [count = 0, ...image] = shape;
  const size = elementCount(image);
  return Array.from({ length: count }, (_, place) => data.subarray(place * size, (place + 1) * size));
}

function imagesAt(images: Tensor, pixels: readonly Uint8Array[], places: readonly number[]): Tensor {
  if (places.length === pixels.length) return images;
  const size = pixels[0]?.length ?? 0;
  const data = new Uint8Array(places.length * size);
  for (const [row, place] of places.entries()) data.set(pixels[place] ?? [], row * size);
  return { dtype: 'uint8', shape: [places.length, ...images.shape.slice(1)], data };
}

const digestBytes = 16;

/** Where a row lies. */
interface Place {
  readonly handle: FileHandle;
  readonly at: number;
}

const headerSchema = z.object({
  parts: list(z.object({ name: text(10_000), shape: list(whole(1, 1_000_000), 8) }), 100),
});
const headerBytes = 64 * 1024;

/** The rows of all runs: those that lie in files of the folder, and one file that grows. */
async function openRows({ folder, key, onWarning }: SharedFeaturesOptions) {
  const places = new Map<string, Place>();
  const handles: FileHandle[] = [];
  let layout: RowLayout | undefined;
  let own: { readonly handle: FileHandle; end: number; readonly budget: number } | undefined;
  /** Rows that no file takes. */
  const unkept = new Map<string, Float32Array>();
  let full = false;
  await makePrivateFolder(folder);
  for (const name of (await readdir(folder)).filter((name) => name.startsWith(`${key}.`)).sort()) {
    const handle = await open(join(folder, name), 'r');
    handles.push(handle);
    const found = await readHeader(handle);
    if (!found) continue;
    layout ??= found;
    if (found.width !== layout.width) continue;
    await eachDigest(handle, found, (digest, at) => places.set(digest, { handle, at }));
  }

  const begin = async (parts: RowLayout['parts']) => {
    const handle = await open(join(folder, `${key}.${randomUUID()}`), 'wx+', privateFileMode);
    handles.push(handle);
    const header = Buffer.alloc(headerBytes, ' ');
    header.write(JSON.stringify({ parts: parts.map(({ name, shape }) => ({ name, shape })) }));
    await handle.write(header, 0, headerBytes, 0);
    return { handle, end: headerBytes, budget: await diskBudget(folder, 0) };
  };
  const write = async (bytes: Buffer, { parts }: RowLayout) => {
    own ??= await begin(parts);
    if (own.end + bytes.length > own.budget) throw new Error('the disk is nearly full');
    const { bytesWritten } = await own.handle.write(bytes, 0, bytes.length, own.end);
    if (bytesWritten !== bytes.length) throw new Error('it is full');
    return { handle: own.handle, from: own.end };
  };
  const rowOf = (matrix: Float32Array, row: number, width: number) => matrix.subarray(row * width, (row + 1) * width);
  return {
    has: (digest: string) => places.has(digest) || unkept.has(digest),
    layout: () => layout,
    add: async (digests: readonly string[], matrix: Float32Array, made: RowLayout): Promise<void> => {
      layout ??= made;
      unkept.clear();
      for (const [row, digest] of digests.entries()) unkept.set(digest, rowOf(matrix, row, made.width));
      if (full) return;
      try {
        const size = rowBytes(made);
        const bytes = Buffer.alloc(digests.length * size);
        for (const [row, digest] of digests.entries()) {
          bytes.write(digest, row * size, 'hex');
          const values = rowOf(matrix, row, made.width);
          bytes.set(bytesOf(values), row * size + digestBytes);
        }
        const { handle, from } = await write(bytes, made);
        for (const [row, digest] of digests.entries())
          places.set(digest, { handle, at: from + row * size + digestBytes });
        if (own) own.end = from + bytes.length;
      } catch (error) {
        full = true;
        onWarning(`Features are not shared with other runs, since ${folder} cannot be used (${messageOf(error)}).`);
      }
    },
    read: async (digest: string, target: Float32Array): Promise<void> => {
      const fresh = unkept.get(digest);
      if (fresh) {
        target.set(fresh);
        return;
      }
      const place = places.get(digest);
      if (!place) throw new RangeError('a row is asked for that is not there');
      const { bytesRead } = await place.handle.read(bytesOf(target), 0, target.byteLength, place.at);
      if (bytesRead !== target.byteLength) throw new Error('a row of the shared features is cut short');
    },
    close: async (): Promise<void> => {
      for (const handle of handles) await handle.close();
    },
  };
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function rowBytes({ width }: RowLayout): number {
  return digestBytes + 4 * width;
}

/** How the rows of a file are laid out; undefined for a file that was just begun, or is of something else. */
async function readHeader(handle: FileHandle): Promise<RowLayout | undefined> {
  const header = Buffer.alloc(headerBytes);
  const { bytesRead } = await handle.read(header, 0, headerBytes, 0);
  if (bytesRead < headerBytes) return undefined;
  try {
    const { parts } = headerSchema.parse(JSON.parse(header.toString('utf8')));
    const sized = parts.map((part) => ({ ...part, size: elementCount(part.shape) }));
    return { parts: sized, width: sized.reduce((sum, { size }) => sum + size, 0) };
  } catch {
    return undefined;
  }
}

/** Calls back for each whole row of a file, with where its values begin. */
async function eachDigest(
  handle: FileHandle,
  layout: RowLayout,
  found: (digest: string, at: number) => void,
): Promise<void> {
  const size = rowBytes(layout);
  const rows = Math.floor(((await handle.stat()).size - headerBytes) / size);
  const digest = Buffer.alloc(digestBytes);
  for (let row = 0; row < rows; row++) {
    const at = headerBytes + row * size;
    await handle.read(digest, 0, digestBytes, at);
    found(digest.toString('hex'), at + digestBytes);
  }
}
