import type { Preprocessing } from '../../../protocol/preprocessing.ts';
import type { TrainingConfig } from '../../../protocol/trainingConfig.ts';
import type { FurtherAugmentation } from '../../data/augment.ts';
import type { ImageSource } from '../../data/imageSource.ts';
import { createLoader, type Loader, type LoaderOptions } from '../../data/loader.ts';
import type { Sample } from '../../data/scanDataset.ts';
import type { LearningPlan } from '../loop/learningPlan.ts';

export interface TrainLoaderOptions {
  readonly config: TrainingConfig;
  readonly preprocessing: Preprocessing;
  readonly plan: Pick<LearningPlan, 'sizeAt'>;
  /** See `viewsOf`. */
  readonly views: number | undefined;
  /** See `LoaderOptions`. */
  readonly prefetch?: number;
}

/** What makes the batches that a run trains on, ahead of mixing. The source is the caller's to dispose. */
export function trainLoader(
  { config, preprocessing, plan, views, prefetch }: TrainLoaderOptions,
  samples: readonly Sample[],
  source: ImageSource,
): Loader {
  const { batchSize, augment, sampling, seed } = config;
  const { resize, crop, interpolation, fit } = preprocessing;
  return createLoader(samples, source, {
    ...{ batchSize, resize, crop, interpolation, fit, augment, sampling, seed },
    further: { ...furtherOf(config), erased: meanColour(preprocessing) },
    sizesAt: (epoch) => sizesOf(plan.sizeAt(epoch), { resize, crop }),
    shuffle: true,
    replaceUndecodable: true,
    ...(views === undefined ? {} : { views }),
    ...(prefetch === undefined ? {} : { prefetch }),
  });
}

/**
 * Views of each image whose features are kept; undefined where every epoch has new ones, or where nothing is computed
 * ahead of the training step.
 */
export function viewsOf(config: TrainingConfig, computesAhead: boolean): number | undefined {
  const { augment, featureViews, mixup, cutmix, verticalFlip, quarterTurns, erase } = config;
  // Every epoch mixes other images with each other.
  if (!computesAhead || mixup > 0 || cutmix > 0) return undefined;
  const isPlain = augment === 'none' && !verticalFlip && !quarterTurns && erase === 0;
  return isPlain ? 1 : featureViews;
}

/** What images of a smaller size are resized to before the crop: in proportion. */
function sizesOf(size: number, full: Pick<LoaderOptions, 'resize' | 'crop'>): Pick<LoaderOptions, 'resize' | 'crop'> {
  return { crop: size, resize: Math.round((full.resize * size) / full.crop) };
}

function furtherOf({ randOps, randMagnitude, verticalFlip, quarterTurns, erase }: TrainingConfig): FurtherAugmentation {
  return { randOps, randMagnitude, verticalFlip, quarterTurns, erase };
}

/** The colour that the network sees as 0, to which torchvision erases, as levels R, G, B. */
function meanColour({ mean, scale, channels }: Preprocessing): number[] {
  const levels = mean.map((value) => Math.min(255, Math.max(0, Math.round(value / scale))));
  return channels === 'bgr' ? levels.reverse() : levels;
}
