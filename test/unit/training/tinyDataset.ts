import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { createRandom } from '../../../src/ml/graph/random.ts';
import type { TrainingConfigInput } from '../../../src/protocol/trainingConfig.ts';
import { trainingConfigSchema, type TrainingConfig } from '../../../src/protocol/trainingConfig.ts';

/** Side of the drawn images in pixels. */
const side = 40;
const folders = ['1', '10', '2'];

/** A temporary folder that goes away with the test. */
export async function temporaryFolder(context: {
  readonly after: (end: () => Promise<void>) => void;
}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-training-'));
  context.after(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

/** Three classes of noisy images that differ by their colour, `train`, `valid` and `test` of each; no test split for 0. */
export async function drawTinyDataset(folder: string, train = 7, valid = 4, test = 0): Promise<string> {
  const data = join(folder, 'data');
  for (const [label, name] of folders.entries()) {
    for (const [split, count] of Object.entries({ train, valid, ...(test > 0 ? { test } : {}) })) {
      const target = join(data, split, name);
      await mkdir(target, { recursive: true });
      for (let image = 0; image < count; image++) {
        const random = createRandom('tiny', name, split, image);
        const pixels = Uint8Array.from({ length: side * side * 3 }, (_, index) =>
          Math.floor(random.next() * 140 + (index % 3 === label ? 110 : 0)),
        );
        const raw = { width: side, height: side, channels: 3 } as const;
        await sharp(pixels, { raw })
          .png()
          .toFile(join(target, `${image}.png`));
      }
    }
  }
  return data;
}

/** ConvNet1 on small images: enough to be a network, small enough for a unit test. */
export function tinyConfig(data: string, settings: Partial<TrainingConfigInput> = {}): TrainingConfig {
  return trainingConfigSchema.parse({
    data,
    network: { kind: 'architecture', name: 'ConvNet1' },
    method: 'scratch',
    hidden: [8],
    epochs: 2,
    batchSize: 5,
    validateEvery: 3,
    imageSize: 32,
    resize: 36,
    cacheMegabytes: 64,
    engine: 'onnx',
    device: 'cpu',
    ...settings,
  });
}
