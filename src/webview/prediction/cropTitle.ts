import * as l10n from '@vscode/l10n';
import type { CropName, CropPrediction, ImagePrediction } from '../../protocol/prediction.ts';

/** What the page calls a crop. */
export function cropTitle(crop: CropName): string {
  return titles[crop];
}

const titles: Record<CropName, string> = {
  center: l10n.t('center'),
  'upper left': l10n.t('upper left'),
  'upper right': l10n.t('upper right'),
  'lower left': l10n.t('lower left'),
  'lower right': l10n.t('lower right'),
};

/** Whether a crop is all of the image, as that of a network which sees whole images. */
export function isWholeImage(
  { frame }: Pick<CropPrediction, 'frame'>,
  { width, height }: Pick<ImagePrediction, 'width' | 'height'>,
): boolean {
  return frame.width >= width && frame.height >= height;
}
