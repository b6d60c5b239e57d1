import { existsSync } from 'node:fs';
import { copyFile, link, mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import sharp from 'sharp';
import { drawSampleDataset } from '../src/ml/data/drawSampleDataset.ts';
import { type Sample, scanDataset } from '../src/ml/data/scanDataset.ts';
import { createGraphBuilder, finishGraph, input } from '../src/ml/graph/builder.ts';
import { buildNetwork, namedNetwork } from '../src/ml/networks/registry.ts';
import { initialise } from '../src/ml/networks/initialise.ts';
import { writeSafetensors } from '../src/ml/weights/safetensors.ts';
import { stateShapes } from '../src/ml/networks/stateShapes.ts';

/* What the cases measure on. It is made anew in a temporary folder and stays there for a look. */
const flowers = join(import.meta.dirname, '../../shared/data/flowers');
const folder = join(tmpdir(), 'fivecrop-bench');

/** Says in a result's `how` which images it was measured on. */
export const imagesUsed = existsSync(flowers)
  ? 'on photographs of Flowers-102, short side 256'
  : 'on drawn flowers, since the photographs are not there';

/** Where `prepareSubset` puts its images. */
export const subsetFolder = join(folder, 'subset');
/** Where `preparePhoto` puts its picture. */
export const photoFile = join(folder, 'photo.jpg');

/** Where `preparePhotos` puts its data set. */
export const photosFolder = join(folder, 'photos');

/** Where `prepareWeights` puts random weights of a network. */
export function weightsFile(name: string): string {
  return join(folder, `${name.replace('/', '-')}.safetensors`);
}

/** Copies images of both splits, drawn evenly over the classes, into a folder of the same form. */
export async function prepareSubset(train: number, valid: number): Promise<void> {
  const { splits } = await scanDataset(await wholeData(), { validShare: 0.15, testShare: 0.15, seed: 0 });
  await rm(subsetFolder, { recursive: true, force: true });
  for (const [split, count] of [
    ['train', train],
    ['valid', valid],
  ] as const) {
    for (const [index, { file }] of evenly(splits[split], count).entries()) {
      const target = join(subsetFolder, split, basename(dirname(file)));
      await mkdir(target, { recursive: true });
      await copyFile(file, join(target, `${index}-${basename(file)}`));
    }
  }
}

/** Writes a JPEG of 12 million pixels, put together from small ones. */
export async function preparePhoto(): Promise<void> {
  const { splits } = await scanDataset(await wholeData(), { validShare: 0.15, testShare: 0.15, seed: 0 });
  const [width, height, tile] = [4000, 3000, 250];
  const across = width / tile;
  const tiles = await Promise.all(
    evenly(splits.train, (across * height) / tile).map(async ({ file }, index) => ({
      input: await sharp(file).resize(tile, tile, { fit: 'cover' }).toBuffer(),
      left: (index % across) * tile,
      top: Math.floor(index / across) * tile,
    })),
  );
  await mkdir(folder, { recursive: true });
  const canvas = sharp({ create: { width, height, channels: 3, background: 'grey' } });
  await canvas.composite(tiles).jpeg({ quality: 92 }).toFile(photoFile);
}

/** A data set of two classes with `train` names of the photo of `preparePhoto`, and one for validation. */
export async function preparePhotos(train: number): Promise<void> {
  await preparePhoto();
  await rm(photosFolder, { recursive: true, force: true });
  for (const [split, count] of [
    ['train', train],
    ['valid', 1],
  ] as const) {
    for (let index = 0; index < count; index++) {
      const target = join(photosFolder, split, index % 2 === 0 ? 'a' : 'b');
      await mkdir(target, { recursive: true });
      await link(photoFile, join(target, `${index}.jpg`));
    }
  }
}

/** Writes random weights of a network with ImageNet's classifier: what they are does not change what they cost. */
export async function prepareWeights(name: string): Promise<void> {
  const builder = createGraphBuilder();
  const images = input(builder, 'images', [1, 3, 224, 224]);
  const graph = finishGraph(builder, [buildNetwork(name, builder, images, 'original')]);
  const state = initialise(stateShapes(graph), namedNetwork(name).initialise, 0);
  await mkdir(folder, { recursive: true });
  await writeSafetensors(weightsFile(name), state, { format: 'pt' });
}

async function wholeData(): Promise<string> {
  if (existsSync(flowers)) return flowers;
  const drawn = join(folder, 'drawn');
  if (!existsSync(drawn)) await drawSampleDataset(drawn, 0);
  return drawn;
}

/** `count` samples at equal distances; again from the front where there are fewer. */
function evenly(samples: readonly Sample[], count: number): Sample[] {
  return Array.from({ length: count }, (_, index) => {
    const sample = samples[Math.floor((index * Math.max(samples.length, count)) / count) % samples.length];
    if (!sample) throw new Error('there are no images to measure on');
    return sample;
  });
}
