// Loads two epochs of a folder and prints what came, for tests that measure a whole process.
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createImageSource } from '../../src/ml/data/imageSource.ts';
import { createLoader } from '../../src/ml/data/loader.ts';
import { scanDataset } from '../../src/ml/data/scanDataset.ts';

const { splits } = await scanDataset(process.argv[2] ?? '.', { validShare: 0, testShare: 0, seed: 0 });
const cacheFolder = join(tmpdir(), `fivecrop-load-${process.pid}`);
const source = createImageSource({ cacheBytes: 256e6, cacheFolder });
const loader = createLoader(splits.train, source, {
  batchSize: 16,
  resize: 255,
  crop: 224,
  augment: 'report',
  seed: 0,
  shuffle: true,
  replaceUndecodable: true,
});
const epochs: number[] = [];
for (const epoch of [0, 1]) {
  let images = 0;
  for await (const { indices } of loader.epoch(epoch)) images += indices.length;
  epochs.push(images);
}
const undecodable = [...source.undecodable.keys()].map((file) => basename(file));
await source.dispose();
await rm(cacheFolder, { recursive: true, force: true });
const megabytes = Math.round(process.resourceUsage().maxRSS / 1024);
console.log(JSON.stringify({ images: splits.train.length, epochs, undecodable, megabytes }));
