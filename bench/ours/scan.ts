import { scanDataset } from '../../src/ml/data/scanDataset.ts';
import { median } from '../result.ts';
import { linkedImages } from './smallImages.ts';
import { peakMebibytes, report } from './report.ts';

/** Scans a folder of `classes` times `images` small files three times; seconds and peak memory. */
const [classes = 1, images = 1] = process.argv.slice(2).map(Number);
const { folder, remove } = await linkedImages(classes, images);
try {
  const seconds: number[] = [];
  for (let round = 0; round < 3; round++) {
    const began = performance.now();
    const { splits } = await scanDataset(folder, { validShare: 0.15, testShare: 0.15, seed: round });
    seconds.push((performance.now() - began) / 1000);
    const found = splits.train.length + splits.valid.length + splits.test.length;
    if (found !== classes * images) throw new Error(`the scan found ${found} images`);
  }
  report({ seconds: median(seconds), memory: peakMebibytes() });
} finally {
  remove();
}
