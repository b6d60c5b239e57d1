import { join } from 'node:path';
import { messageOf } from '../../protocol/errors.ts';
import { cacheFolder } from '../cache/cacheFolder.ts';
import { makePrivateFolder } from '../cache/privateFolder.ts';
import { diskBudget } from '../data/diskCache.ts';
import { float32Tensor, type StateDict, type Tensor } from '../graph/tensor.ts';
import { readSafetensors, writeSafetensors } from '../weights/safetensors.ts';
import type { FeatureModel, ImageFeatures } from './featureModel.ts';
import { qualityNumbers } from '../data/imageQuality.ts';

/** Features that were computed before, a row for each image, which is known by its digest. */
export interface KeptFeatures {
  readonly digests: BigInt64Array;
  readonly features: Float32Array;
  readonly quality: Float32Array;
  rowOf(digest: number): number | undefined;
}

/** Tensor of how images look; in files with another name the bars beside an image counted as its pixels. */
const qualityTensor = 'qualityOfImage';
/** Most that the file of a model may hold; a larger one is begun anew with the images at hand. */
const mostBytes = 2 ** 31 - 1;

function fileOf({ key }: Pick<FeatureModel, 'key'>): string {
  return join(cacheFolder(), 'kept-features', `${key}.safetensors`);
}

function keptFeatures(digests: BigInt64Array, features: Float32Array, quality: Float32Array): KeptFeatures {
  const rows = new Map(Array.from(digests, (digest, row) => [Number(digest), row]));
  return { digests, features, quality, rowOf: (digest) => rows.get(digest) };
}

/** What is kept of a model: nothing if there is no file, or one that does not fit. */
export async function readKeptFeatures(model: Pick<FeatureModel, 'key' | 'width'>): Promise<KeptFeatures> {
  const empty = keptFeatures(new BigInt64Array(), new Float32Array(), new Float32Array());
  const found = await readSafetensors(fileOf(model)).catch(() => undefined);
  const [digests, features, quality] = ['digests', 'features', qualityTensor].map((name) => found?.state.get(name));
  if (digests?.dtype !== 'int64' || features?.dtype !== 'float32' || quality?.dtype !== 'float32') return empty;
  const rows = digests.data.length;
  const fits = features.data.length === rows * model.width && quality.data.length === rows * qualityNumbers;
  return fits ? keptFeatures(digests.data, features.data, quality.data) : empty;
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
  const rowBytes = 4 * (width + qualityNumbers) + 8;
  const others = (own.size + old.length) * rowBytes > mostBytes ? [] : old;
  const rows = own.size + others.length;
  const state = {
    digests: new BigInt64Array(rows),
    features: new Float32Array(rows * width),
    quality: new Float32Array(rows * qualityNumbers),
  };
  let row = 0;
  const put = (digest: number, from: Pick<KeptFeatures, 'features' | 'quality'>, at: number) => {
    state.digests[row] = BigInt(digest);
    state.features.set(from.features.subarray(at * width, (at + 1) * width), row * width);
    state.quality.set(from.quality.subarray(at * qualityNumbers, (at + 1) * qualityNumbers), row * qualityNumbers);
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
  { digests, features, quality }: Pick<KeptFeatures, 'digests' | 'features' | 'quality'>,
  rows: number,
  width: number,
): StateDict {
  return new Map<string, Tensor>([
    ['digests', { dtype: 'int64', shape: [rows], data: digests }],
    ['features', float32Tensor([rows, width], features)],
    [qualityTensor, float32Tensor([rows, qualityNumbers], quality)],
  ]);
}
