import { findingText, type DataReport } from '../../protocol/dataReport.ts';
import type { Layout } from '../../protocol/trainingConfig.ts';
import { checkData as checkDataset } from '../data/checkData.ts';
import { createDecodePool } from '../data/decodePool.ts';
import { samplesOf } from '../data/digestImages.ts';
import { drawSampleDataset } from '../data/drawSampleDataset.ts';
import { scanDataset, type ScanOptions } from '../data/scanDataset.ts';
import { openFeatureModel } from '../features/featureModel.ts';
import { findSuspects as findAmong, type FoundSuspects } from '../features/findSuspects.ts';
import { imageFeatures } from '../features/imageFeatures.ts';
import { choosePlacement, type Computing } from './choosePlacement.ts';
import { type ClassifierLike, sourceOf } from './classifier.ts';

/** How a folder of images is read. */
export interface DataOptions {
  /** `auto` (the default), or how the folder is read: `splits` or `classes`. */
  readonly layout?: Layout;
  /** Shares of a folder without splits that are set aside, 0.15 each without them, and the seed by which, 0 without it. */
  readonly validShare?: number;
  readonly testShare?: number;
  readonly seed?: number;
  /** JSON file that names the class folders. */
  readonly classNames?: string;
  readonly onProgress?: (done: number, total: number) => void;
  /** Breaks off with a `CancelledError`. */
  readonly signal?: AbortSignal;
}

/**
 * Checks a folder of images as `fivecrop check` does: classes, counts, files that cannot be decoded, copies. Training would
 * fail if a finding has the level `error`. Nothing is changed. Throws a `UserError` for a folder that cannot be read.
 */
export async function checkData(data: string, options: DataOptions = {}): Promise<DataReport> {
  const { onProgress, signal } = options;
  const dataset = await scanDataset(data, scanOptionsFrom(options));
  return checkDataset(dataset, {
    decode: true,
    ...(onProgress ? { onProgress } : {}),
    ...(signal ? { signal } : {}),
  });
}

export interface SuspectsOptions extends DataOptions, Computing {
  /** Folds of the data, each judged by heads that were trained on the others; 5 without it. */
  readonly folds?: number;
}

/**
 * Images that look wrong, the most certain of each kind first, as `fivecrop suspects` finds them: labels that the data
 * contradicts, near-duplicates, outliers and images of poor quality. The network’s features are kept for the next time.
 * Throws a `UserError` as `loadClassifier` does, and for a folder that cannot be read.
 */
export async function findSuspects(
  data: string,
  network: ClassifierLike,
  options: SuspectsOptions = {},
): Promise<FoundSuspects> {
  const { folds = 5, seed = 0, onProgress } = options;
  const log = options.log ?? (() => undefined);
  const stop = options.signal ? { signal: options.signal } : {};
  const dataset = await scanDataset(data, scanOptionsFrom(options));
  for (const note of dataset.notes) log(findingText(note));
  const samples = samplesOf(dataset);
  const placement = await choosePlacement(options);
  const model = await openFeatureModel(sourceOf(network), placement, { log, ...stop });
  const pool = createDecodePool();
  try {
    const features = await imageFeatures(model, samples, {
      pool,
      log,
      ...(onProgress ? { onProgress } : {}),
      ...stop,
    });
    return await findAmong(samples, dataset.classes, features, placement, { folds, seed, ...stop, onStage: log });
  } finally {
    await pool.dispose();
    await model.dispose();
  }
}

/** Draws a small data set of five kinds of flowers into a new folder, to try things on; the same for the same seed. */
export function drawSampleData(
  folder: string,
  seed = 0,
): Promise<{ readonly images: number; readonly classes: number }> {
  return drawSampleDataset(folder, seed);
}

function scanOptionsFrom({
  layout = 'auto',
  validShare = 0.15,
  testShare = 0.15,
  seed = 0,
  classNames,
}: DataOptions): ScanOptions {
  return { layout, validShare, testShare, seed, ...(classNames === undefined ? {} : { classNames }) };
}
