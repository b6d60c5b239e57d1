import * as l10n from '@vscode/l10n';
import { percent } from '../../charts/format.ts';
import type { GalleryImage } from '../components/imageGallery.ts';
import type { ClassNames, ImageResult } from './confusions.ts';

/** A tested image as a gallery shows it: what was predicted, and of a wrong one what its folder says. */
export function galleryImage(result: ImageResult, name: ClassNames): GalleryImage {
  const { image, actual, predicted, probability, actualProbability } = result;
  const right = actual === predicted;
  const hint = l10n.t('Folder: {0} {1}', name(actual), percent(actualProbability, 0));
  const predictions = [{ text: `${name(predicted)} ${percent(probability, 0)}`, right }];
  return { image, predictions, ...(right ? {} : { hint }) };
}
