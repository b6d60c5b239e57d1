import { createImageSource } from '../../src/ml/data/imageSource.ts';
import { createLoader } from '../../src/ml/data/loader.ts';
import { scanDataset } from '../../src/ml/data/scanDataset.ts';
import { report } from './report.ts';

/* Epochs of a loader: the first decodes, the later ones find the decoded images in memory. Argument: the data. */
const [data = ''] = process.argv.slice(2);
const { splits } = await scanDataset(data, { validShare: 0.15, testShare: 0.15, seed: 0 });
const source = createImageSource({ cacheBytes: 2 ** 31 });
const loader = createLoader(splits.train, source, {
  batchSize: 32,
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

const first = await epoch(0);
const later = [await epoch(1), await epoch(2)] as const;
await source.dispose();
report({ first, later: Math.max(...later), five: 5 / (1 / first + 2 / later[0] + 2 / later[1]) });
