import { cancelled } from '../../protocol/errors.ts';
import { createImageSource } from '../data/imageSource.ts';
import type { DecodePool } from '../data/decodePool.ts';
import { createLoader } from '../data/loader.ts';
import type { Sample } from '../data/scanDataset.ts';
import { type FeatureModel, type ImageFeatures, qualityNumbers } from './featureModel.ts';
import { type KeptFeatures, readKeptFeatures, writeKeptFeatures } from './keptFeatures.ts';
import { centrePart } from '../data/centreCrop.ts';
import { elongation, lumaOf, measureQuality } from '../data/imageQuality.ts';
import { gridBytes, lumaGrid } from './samePicture.ts';

export interface ImageFeaturesOptions {
  readonly pool: DecodePool;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
  /** Hears of each image that does not decode, and why. */
  readonly onLeftOut?: (file: string, reason: string) => void;
  /** Hears of images that do not decode, and of what could not be kept. */
  readonly log: (sentence: string) => void;
}

export interface DigestedFeatures extends ImageFeatures {
  /** What each image is known again by; NaN for a file that cannot be read. */
  readonly digests: Float64Array;
}

const batchSize = 32;

/**
 * The features of images' centre crops. They are computed once: those of images that were seen before, by this model and
 * wherever they lay, come from the cache. Throws a cancellation once `signal` is aborted, and a user error where an image
 * vanishes meanwhile.
 */
export async function imageFeatures(
  model: FeatureModel,
  samples: readonly Sample[],
  options: ImageFeaturesOptions,
): Promise<DigestedFeatures> {
  const { pool, signal, onProgress, onLeftOut, log } = options;
  const { width } = model;
  const digests = await pool.digest(samples.map(({ file }) => file));
  const kept = await readKeptFeatures(model);
  const found: ImageFeatures = {
    width,
    features: new Float32Array(samples.length * width),
    quality: new Float32Array(samples.length * qualityNumbers),
    grids: new Uint8Array(samples.length * gridBytes),
    decoded: new Uint8Array(samples.length),
  };
  const missing: number[] = [];
  digests.forEach((digest, place) => {
    const row = kept.rowOf(digest);
    if (row === undefined) missing.push(place);
    else copyRow(kept, row, found, place);
  });
  let done = samples.length - missing.length;
  onProgress?.(done, samples.length);
  const source = createImageSource({
    ...{ cacheBytes: 0, once: true, pool, onWarning: log },
    onUndecodable: (file, reason) => {
      log(`${file} is left out: ${reason}`);
      onLeftOut?.(file, reason);
    },
  });
  const wanted = missing.flatMap((place) => samples[place] ?? []);
  const { resize, crop, interpolation, fit } = model.preprocessing;
  const loader = createLoader(wanted, source, {
    ...{ batchSize, resize, crop, interpolation, fit },
    ...{ augment: 'none', seed: 0, shuffle: false, replaceUndecodable: false },
  });
  try {
    for await (const { images, indices, resized, wanted: asked } of loader.epoch(0)) {
      if (signal?.aborted) throw cancelled();
      if (indices.length > 0) {
        const { data } = await model.run(images);
        indices.forEach((index, row) => {
          const place = missing[index] ?? 0;
          const planes = images.data.subarray(row * 3 * crop * crop, (row + 1) * 3 * crop * crop);
          const size = resized[row] ?? { width: crop, height: crop, source: { width: crop, height: crop } };
          const luma = lumaOf(planes, crop, centrePart(size, crop));
          const { detail, brightness, contrast } = measureQuality(luma);
          const look = [detail, brightness, contrast, elongation(size.source)];
          found.features.set(data.subarray(row * width, (row + 1) * width), place * width);
          found.quality.set(look, place * qualityNumbers);
          found.grids.set(lumaGrid(luma), place * gridBytes);
          found.decoded[place] = 1;
        });
      }
      onProgress?.((done += asked.length), samples.length);
    }
  } finally {
    await source.dispose();
  }
  if (missing.some((place) => found.decoded[place] === 1)) {
    const problem = await writeKeptFeatures(model, kept, digests, found);
    if (problem !== undefined) log(problem);
  }
  return { ...found, digests };
}

function copyRow(kept: KeptFeatures, row: number, found: ImageFeatures, place: number): void {
  const { width } = found;
  found.features.set(kept.features.subarray(row * width, (row + 1) * width), place * width);
  found.quality.set(kept.quality.subarray(row * qualityNumbers, (row + 1) * qualityNumbers), place * qualityNumbers);
  found.grids.set(kept.grids.subarray(row * gridBytes, (row + 1) * gridBytes), place * gridBytes);
  found.decoded[place] = 1;
}
