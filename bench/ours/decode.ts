import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createImageSource } from '../../src/ml/data/imageSource.ts';
import { createLoader } from '../../src/ml/data/loader.ts';
import { scanDataset } from '../../src/ml/data/scanDataset.ts';
import { peakMebibytes, report } from './report.ts';

/*
 * Epochs of a loader: the first decodes, the later ones find in memory and on disk what was kept there. Arguments: the
 * data, images a batch, later epochs, and MiB that memory and disk may keep. Images a second, and the peak of memory
 * beyond what the process had before it loaded.
 */
const [data = '', ...numbers] = process.argv.slice(2);
const [batchSize = 32, laterEpochs = 2, cacheMebibytes = 2048, diskMebibytes = 0] = numbers.map(Number);
const mebibyte = 2 ** 20;

const { splits } = await scanDataset(data, { validShare: 0.15, testShare: 0.15, seed: 0 });
const cacheFolder = await mkdtemp(join(tmpdir(), 'fivecrop-bench-cache-'));
const before = process.memoryUsage.rss() / mebibyte;
const limits = { cacheBytes: cacheMebibytes * mebibyte, diskCacheBytes: diskMebibytes * mebibyte };
const source = createImageSource({ ...limits, cacheFolder });
const loader = createLoader(splits.train, source, {
  batchSize,
  resize: 255,
  crop: 224,
  augment: 'report',
  seed: 0,
  shuffle: true,
  replaceUndecodable: true,
});

/** Images a second from the first batch to the last; the threads start before it. */
async function epoch(number: number): Promise<number> {
  let start: number | undefined;
  let images = 0;
  for await (const { labels } of loader.epoch(number)) {
    if (start === undefined) start = performance.now();
    else images += labels.length;
  }
  return (images * 1000) / (performance.now() - (start ?? 0));
}

/** The best of the later epochs, and a run of five: the first, and four like those. */
function laterFigures(first: number, later: readonly number[]) {
  const seconds = later.reduce((sum, rate) => sum + 1 / rate, 0) / later.length;
  return { later: Math.max(...later), five: 5 / (1 / first + 4 * seconds) };
}

try {
  const first = await epoch(0);
  const later: number[] = [];
  while (later.length < laterEpochs) later.push(await epoch(later.length + 1));
  report({
    first,
    ...(later.length > 0 ? laterFigures(first, later) : {}),
    memory: peakMebibytes() - before,
    inMemory: source.statistics.memoryBytes / mebibyte,
    onDisk: source.statistics.diskBytesWritten / mebibyte,
  });
} finally {
  await source.dispose();
  await rm(cacheFolder, { recursive: true, force: true });
}
