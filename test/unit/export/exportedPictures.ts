import { join } from 'node:path';
import sharp from 'sharp';
import type { CheckpointMetadata } from '../../../src/protocol/checkpointMetadata.ts';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { createRandom } from '../../../src/ml/graph/random.ts';
import { loadClassifier } from '../../../src/ml/inference/loadClassifier.ts';
import { predictImages } from '../../../src/ml/inference/predictImages.ts';
import { untried } from './exports.ts';

export interface Picture {
  readonly file: string;
  readonly width: number;
  readonly height: number;
  /** RGB. */
  readonly data: Uint8Array;
}

/** Lossless images of odd sizes. */
export async function writePictures(folder: string, sizes: readonly (readonly [number, number])[]): Promise<Picture[]> {
  const random = createRandom(5, 'pictures');
  return Promise.all(
    sizes.map(async ([width, height], at) => {
      const bright = 60 + random.integer(190);
      const data = Uint8Array.from({ length: 3 * width * height }, () => random.integer(bright));
      const file = join(folder, `${at}.png`);
      await sharp(data, { raw: { width, height, channels: 3 } })
        .png()
        .toFile(file);
      return { file, width, height, data };
    }),
  );
}

/** What `fivecrop predict` says of images: the probabilities of their classes by index, and whether they are rejected. */
export async function predicted(checkpoint: string, files: readonly string[], cropCount: 1 | 5, reject: boolean) {
  const source = { kind: 'checkpoint', file: checkpoint } as const;
  const classifier = await loadClassifier(source, { engine: onnxEngine, device: 'cpu' }, { trial: untried });
  const found: { probabilities: number[]; rejected: boolean }[] = [];
  for await (const prediction of predictImages(classifier, files, {
    cropCount,
    topK: classifier.labels.length,
    reject,
  })) {
    if ('error' in prediction) throw new Error(prediction.error);
    const probabilities: number[] = [];
    for (const { index, probability } of prediction.mean) probabilities[index] = probability;
    found.push({ probabilities, rejected: prediction.rejected ?? false });
  }
  await classifier.dispose();
  return found;
}

/** A vision transformer as timm builds it, small enough for a test. */
export const tinyTransformer: CheckpointMetadata['network'] = {
  kind: 'architecture',
  name: 'timm/vit_small_patch16_224.tiny',
  hub: {
    sha256: '0'.repeat(64),
    bytes: 1,
    config: {
      architecture: 'vit_small_patch16_224',
      num_classes: 1000,
      num_features: 48,
      model_args: { embed_dim: 48, depth: 2, num_heads: 3 },
      pretrained_cfg: { input_size: [3, 32, 32] },
    },
  },
};
