import { findingText } from '../../protocol/dataReport.ts';
import { createDecodePool } from '../data/decodePool.ts';
import { samplesOf } from '../data/digestImages.ts';
import { type Dataset, type Sample, scanDataset, scanOptionsOf } from '../data/scanDataset.ts';
import { openFeatureModel } from '../features/featureModel.ts';
import { type DigestedFeatures, imageFeatures } from '../features/imageFeatures.ts';
import type { Placement } from '../inference/graphClassifier.ts';
import { classifierFromFlags } from './classifierFlags.ts';
import { placementFromFlags } from './computingFlags.ts';
import { type OptionValues, parseTrainingConfig, settingsFromFlags } from './configFlags.ts';
import { withInterrupt } from './interrupt.ts';
import type { Output } from './output.ts';
import { createProgress, imagesNote, type Progress } from './progress.ts';

/** A data folder's images and what a network makes of them. */
interface DataFeatures {
  readonly dataset: Dataset;
  readonly samples: readonly Sample[];
  /** A row for each of `samples`. */
  readonly features: DigestedFeatures;
  /** Of the network, its weights and its pixels: see `FeatureModel`. */
  readonly model: string;
  readonly placement: Placement;
  readonly seed: number;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Computes the features of the images in a data folder by the network that the flags name, for `use`; Ctrl-C stops both. */
export async function withDataFeatures<Result>(
  data: string,
  options: OptionValues,
  output: Output,
  use: (found: DataFeatures) => Promise<Result>,
): Promise<Result> {
  const network = { kind: 'architecture', name: 'any' };
  const config = parseTrainingConfig({ data, network, ...settingsFromFlags(options) });
  const source = classifierFromFlags(options);
  const dataset = await scanDataset(data, scanOptionsOf(config));
  for (const note of dataset.notes) output.say(findingText(note));
  const samples = samplesOf(dataset);
  const placement = await placementFromFlags(options, output.say);
  const model = await openFeatureModel(source, placement, { log: output.say });
  const pool = createDecodePool();
  const progress = createProgress(true);
  const startedAt = Date.now();
  try {
    const stopping = () => progress.line('Stopping; Ctrl-C again quits at once.');
    return await withInterrupt(stopping, async (signal) => {
      const features = await imageFeatures(model, samples, {
        ...{ pool, signal, log: progress.line },
        onProgress: (done, total) => progress.update(done, total, imagesNote(done, total, startedAt)),
      });
      return use({ dataset, samples, features, model: model.key, placement, seed: config.seed, progress, signal });
    });
  } finally {
    progress.stop();
    await pool.dispose();
    await model.dispose();
  }
}
