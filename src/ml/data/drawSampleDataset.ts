import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import { messageOf, userError } from '../../protocol/errors.ts';
import { sampleSettingsFile } from '../../protocol/sampleSettingsFile.ts';
import { type TrainingConfigInput, trainingConfigVersion } from '../../protocol/trainingConfig.ts';
import { createRandom } from '../graph/random.ts';
import { classNamesFile } from './classNames.ts';
import { drawFlower, flowerKinds } from './drawFlower.ts';

/** Drawn pictures of each kind in each split. */
export const sampleCounts = { train: 40, valid: 10, test: 10 } as const;

/**
 * Settings with which the sample is learned in less than a minute on two cores: more than 95 % of its validation images,
 * from random weights. Its pictures are small, and so is what tells them apart.
 */
const sampleSettings: TrainingConfigInput = {
  version: trainingConfigVersion,
  data: '.',
  network: { kind: 'architecture', name: 'ConvNet2' },
  method: 'scratch',
  hidden: [],
  epochs: 8,
  batchSize: 16,
  schedule: 'cosine',
  imageSize: 64,
  resize: 72,
};

/** Pictures that are drawn at the same time. */
const concurrency = 4;

/**
 * Writes the sample data set into an empty or new folder: five kinds of drawn flowers, 60 pictures each, as JPEG under
 * `train|valid|test/<number>/`, with the kinds' names in `cat_to_name.json` and settings that suit them in `sample.fivecrop.json`. The same seed draws the same pictures.
 * Throws a user error where the folder holds something already or cannot be written.
 */
export async function drawSampleDataset(
  folder: string,
  seed: number,
  onProgress?: (done: number, total: number) => void,
): Promise<{ readonly images: number; readonly classes: number }> {
  const root = resolve(folder);
  const plan = picturePlan();
  try {
    await mkdir(root, { recursive: true });
    if ((await readdir(root)).length > 0) throw userError(`${root} is not empty; name a new folder for the sample.`);
    for (const { path } of plan) await mkdir(join(root, path), { recursive: true });
    let done = 0;
    const queue = plan.values();
    const work = async () => {
      for (const { path, file, kind, index } of queue) {
        const svg = drawFlower(kind, createRandom(seed, 'flower', kind.name, index));
        const jpeg = await sharp(Buffer.from(svg)).flatten().jpeg({ quality: 88 }).toBuffer();
        await writeFile(join(root, path, file), jpeg);
        onProgress?.(++done, plan.length);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, work));
    await writeFile(join(root, sampleSettingsFile), `${JSON.stringify(sampleSettings, undefined, 2)}\n`);
    const names = Object.fromEntries(flowerKinds.map(({ name }, index) => [String(index + 1), name]));
    await writeFile(join(root, classNamesFile), `${JSON.stringify(names, undefined, 2)}\n`);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    throw userError(`The sample cannot be written to ${root} (${messageOf(error)}); name another folder.`, error);
  }
  return { images: plan.length, classes: flowerKinds.length };
}

/** Every picture with its place, its kind and its number within the kind. */
function picturePlan() {
  return flowerKinds.flatMap((kind, classIndex) => {
    const splits = Object.entries(sampleCounts).flatMap(([split, count]) => Array.from({ length: count }, () => split));
    return splits.map((split, index) => ({
      kind,
      index,
      path: join(split, String(classIndex + 1)),
      file: `flower_${String(index + 1).padStart(2, '0')}.jpg`,
    }));
  });
}
