import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { messageOf } from '../../protocol/errors.ts';
import { cacheFolder } from '../cache/cacheFolder.ts';
import { makePrivateFolder } from '../cache/privateFolder.ts';
import { float32Tensor, type StateDict, type Tensor } from '../graph/tensor.ts';
import type { Placement } from '../inference/graphClassifier.ts';
import { readSafetensors, writeSafetensors } from '../weights/safetensors.ts';
import type { DigestedFeatures } from './imageFeatures.ts';
import { mapFeatures, type MapOptions } from './mapFeatures.ts';

export interface KeptMapOptions extends MapOptions {
  /** Of the model that made the features: see `FeatureModel`. */
  readonly model: string;
  /** The data folder, as an absolute path: there is one map of each. */
  readonly folder: string;
  /** Hears why a map is not kept. */
  readonly log: (sentence: string) => void;
}

/** Changes when the same features would get another map. */
const layoutVersion = 1;

/**
 * The map of a folder's images, as `mapFeatures` draws it. It is kept, and comes back at once for the same images
 * whatever their names and classes are.
 */
export async function keptMap(
  found: Omit<DigestedFeatures, 'quality' | 'grids'>,
  placement: Placement,
  options: KeptMapOptions,
): Promise<Float32Array> {
  const { model, folder, seed, log } = options;
  const name = createHash('sha256').update([layoutVersion, model, seed, folder].join('\n')).digest('hex');
  const file = join(cacheFolder(), 'kept-maps', `${name}.safetensors`);
  const digestOf = (row: number) => found.digests[row] ?? Number.NaN;
  const isKnown = (row: number) => found.decoded[row] === 1 && !Number.isNaN(digestOf(row));
  const order = [...found.decoded.keys()].filter(isKnown).sort((a, b) => digestOf(a) - digestOf(b) || a - b);
  const wanted = BigInt64Array.from(order, (row) => BigInt(digestOf(row)));
  const kept = await readMap(file);
  if (kept?.digests.length === wanted.length && kept.digests.every((digest, at) => digest === wanted[at])) {
    const map = new Float32Array(2 * found.decoded.length).fill(Number.NaN);
    order.forEach((row, at) => map.set(kept.places.subarray(2 * at, 2 * at + 2), 2 * row));
    return map;
  }
  const map = await mapFeatures(found, order, placement, options);
  const places = Float32Array.from(order.flatMap((row) => [...map.subarray(2 * row, 2 * row + 2)]));
  const problem = await writeMap(file, { digests: wanted, places });
  if (problem !== undefined) log(problem);
  return map;
}

/** Digests from the lowest to the highest, and the place `[x, y]` of each. */
interface MapFile {
  readonly digests: BigInt64Array;
  readonly places: Float32Array;
}

async function readMap(file: string): Promise<MapFile | undefined> {
  const found = await readSafetensors(file).catch(() => undefined);
  const [digests, places] = ['digests', 'places'].map((name) => found?.state.get(name));
  if (digests?.dtype !== 'int64' || places?.dtype !== 'float32') return undefined;
  const fits = places.data.length === 2 * digests.data.length && places.data.every((value) => value >= 0 && value <= 1);
  return fits ? { digests: digests.data, places: places.data } : undefined;
}

/** Returns why not if the disk refuses. */
async function writeMap(file: string, { digests, places }: MapFile): Promise<string | undefined> {
  const rows = digests.length;
  const state: StateDict = new Map<string, Tensor>([
    ['digests', { dtype: 'int64', shape: [rows], data: digests }],
    ['places', float32Tensor([rows, 2], places)],
  ]);
  try {
    await makePrivateFolder(join(file, '..'));
    await writeSafetensors(file, state);
    return undefined;
  } catch (error) {
    return `The map is not kept for the next time (${messageOf(error)}).`;
  }
}
