import { join } from 'node:path';
import { messageOf } from '../../protocol/errors.ts';
import { cacheFolder } from '../cache/cacheFolder.ts';
import { makePrivateFolder } from '../cache/privateFolder.ts';
import { diskBudget } from '../data/diskCache.ts';
import { float32Tensor, type StateDict, type Tensor } from '../graph/tensor.ts';
import { readSafetensors, writeSafetensors } from '../weights/safetensors.ts';
import { type FeatureModel, type ImageFeatures, qualityNumbers } from './featureModel.ts';
import { gridBytes } from './samePicture.ts';

/** Features that were computed before, a row for each image, which is known by its digest. */
export interface KeptFeatures {
  readonly digests: BigInt64Array;
  readonly features: Float32Array;
  readonly quality: Float32Array;
  readonly grids: Uint8Array;
  rowOf(digest: number): number | undefined;
}

/** Tensor of how images look; in files with another name it says something else. */
const qualityTensor = 'detailAndShape';
/** Most that the file of a model may hold; a larger one is begun anew with the images at hand. */
const mostBytes = 2 ** 31 - 1;

function fileOf({ key }: Pick<FeatureModel, 'key'>): string {
  return join(cacheFolder(), 'kept-features', `${key}.safetensors`);
}

function keptFeatures(kept: Omit<KeptFeatures, 'rowOf'>): KeptFeatures {
  const rows = new Map(Array.from(kept.digests, (digest, row) => [Number(digest), row]));
  return { ...kept, rowOf: (digest) => rows.get(digest) };
}

/** What is kept of a model: nothing if there is no file, or one that does not fit. */
export async function readKeptFeatures(model: Pick<FeatureModel, 'key' | 'width'>): Promise<KeptFeatures> {
  const empty = keptFeatures({ digests: new BigInt64Array(), features: new Float32Array(), quality: new Float32Array(), grids: new Uint8Array() }); // prettier-ignore
  const found = await readSafetensors(fileOf(model)).catch(() => undefined);
  const [digests, features, quality, grids] = ['digests', 'features', qualityTensor, 'grids'].map((name) => found?.state.get(name)); // prettier-ignore
  if (digests?.dtype !== 'int64' || features?.dtype !== 'float32' || quality?.dtype !== 'float32' || grids?.dtype !== 'uint8') return empty; // prettier-ignore
  const rows = digests.data.length;
  const fits = features.data.length === rows * model.width && quality.data.length === rows * qualityNumbers && grids.data.length === rows * gridBytes; // prettier-ignore
  return fits ? keptFeatures({ digests: digests.data, features: features.data, quality: quality.data, grids: grids.data }) : empty; // prettier-ignore
}

/**
 * Keeps what was found beside what was kept, if there is room. Returns why not if the disk refuses. Two processes that
 * write at once lose one's rows, which are then computed again.
 */
export async function writeKeptFeatures(
  model: Pick<FeatureModel, 'key' | 'width'>,
  kept: KeptFeatures,
  digests: Float64Array,
  found: ImageFeatures,
): Promise<string | undefined> {
  const { width } = model;
  const own = new Map<number, number>();
  digests.forEach((digest, place) => {
    if (found.decoded[place] === 1 && !Number.isNaN(digest)) own.set(digest, place);
  });
  const old = [...kept.digests.keys()].filter((row) => !own.has(Number(kept.digests[row])));
  const rowBytes = 4 * (width + qualityNumbers) + gridBytes + 8;
  const others = (own.size + old.length) * rowBytes > mostBytes ? [] : old;
  const rows = own.size + others.length;
  const state = {
    digests: new BigInt64Array(rows),
    features: new Float32Array(rows * width),
    quality: new Float32Array(rows * qualityNumbers),
    grids: new Uint8Array(rows * gridBytes),
  };
  let row = 0;
  const put = (digest: number, from: Pick<KeptFeatures, 'features' | 'quality' | 'grids'>, at: number) => {
    state.digests[row] = BigInt(digest);
    state.features.set(from.features.subarray(at * width, (at + 1) * width), row * width);
    state.quality.set(from.quality.subarray(at * qualityNumbers, (at + 1) * qualityNumbers), row * qualityNumbers);
    state.grids.set(from.grids.subarray(at * gridBytes, (at + 1) * gridBytes), row * gridBytes);
    row++;
  };
  for (const at of others) put(Number(kept.digests[at]), kept, at);
  for (const [digest, place] of own) put(digest, found, place);
  const file = fileOf(model);
  try {
    await makePrivateFolder(join(file, '..'));
    if (rows * rowBytes > (await diskBudget(join(file, '..'), 0))) throw new Error('the disk is nearly full');
    await writeSafetensors(file, stateOf(state, rows, width));
    return undefined;
  } catch (error) {
    return `The features are not kept for the next time (${messageOf(error)}).`;
  }
}

function stateOf(
  { digests, features, quality, grids }: Omit<KeptFeatures, 'rowOf'>,
  rows: number,
  width: number,
): StateDict {
  return new Map<string, Tensor>([
    ['digests', { dtype: 'int64', shape: [rows], data: digests }],
    ['features', float32Tensor([rows, width], features)],
    [qualityTensor, float32Tensor([rows, qualityNumbers], quality)],
    ['grids', { dtype: 'uint8', shape: [rows, gridBytes], data: grids }],
  ]);
}
