import { userError } from '../../protocol/errors.ts';
import type { Sample } from '../data/scanDataset.ts';
import type { ImageFeatures } from './featureModel.ts';

/** Throws a user error where a network gives NaN or infinite features: whatever is fitted to them is NaN for all images. */
export function requireFinite(
  { width, features }: Pick<ImageFeatures, 'width' | 'features'>,
  samples: readonly Pick<Sample, 'file'>[],
  network: string,
): void {
  const at = features.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return;
  const file = samples[Math.floor(at / width)]?.file ?? '';
  throw userError(`${network} gives features that are not finite, as of ${file}; choose another network.`);
}
