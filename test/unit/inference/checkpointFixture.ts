import { join } from 'node:path';
import type { CheckpointMetadata } from '../../../src/protocol/checkpointMetadata.ts';
import { networkOf } from '../../../src/ml/networks/registry.ts';
import { createRandom } from '../../../src/ml/graph/random.ts';
import { presetConstants } from '../../../src/protocol/preprocessing.ts';
import { writeCheckpoint } from '../../../src/ml/weights/checkpoint.ts';
import { initialise, type Initialisation } from '../../../src/ml/networks/initialise.ts';
import { stateShapes } from '../../../src/ml/networks/stateShapes.ts';
import { labels } from './fakeClassifier.ts';

export const imageSize = 32;

/** Pixels uint8 `[count, 3, imageSize, imageSize]` drawn by seed, each plane of a brightness of its own. */
export function randomImages(count: number, seed: number) {
  const random = createRandom(seed, 'images');
  const plane = imageSize * imageSize;
  const levels = Array.from({ length: count * 3 }, () => random.integer(256));
  const data = Uint8Array.from({ length: count * 3 * plane }, (_, at) =>
    random.integer(1 + (levels[Math.floor(at / plane)] ?? 0)),
  );
  return { dtype: 'uint8' as const, shape: [count, 3, imageSize, imageSize], data };
}

/** What a transformer adds to its patches has no default of torch's. */
const draws: Initialisation = (name) =>
  /^(?:cls_token|pos_embed)$/u.test(name) ? { kind: 'normal', std: 1 } : undefined;

/** Writes a checkpoint with random weights for three classes, and `about` in its header, and returns its path. */
export async function writeRandomCheckpoint(
  folder: string,
  network: CheckpointMetadata['network'],
  about: Partial<CheckpointMetadata> = {},
): Promise<string> {
  const { head = { hidden: [5], dropout: 0.5, classes: labels.length } } = about;
  const graph = networkOf(network).graph(head, { batchSize: 1, size: imageSize });
  const path = join(folder, 'best.safetensors');
  await writeCheckpoint(path, initialise(stateShapes(graph), draws, 1), {
    version: 1,
    network,
    head,
    classes: [...labels],
    preprocessing: { resize: 36, crop: imageSize, ...presetConstants('imagenet') },
    training: { run: 'test', method: 'scratch', step: 0, epoch: 0, data: 'nowhere' },
    metrics: {},
    created: new Date(0).toISOString(),
    ...about,
  });
  return path;
}
