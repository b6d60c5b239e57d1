import { pngPicture } from '../components/pngPicture.ts';
import { confusionPicture, type ConfusionPictureOptions } from './confusionPicture.ts';
import { themeMatrixColors } from './themeMatrixColors.ts';

const pngScale = 2;

/** The confusion matrix as a file's content in the colours of the theme: text, or base64 for PNG. */
export async function exportConfusions(
  format: 'png' | 'svg',
  options: Omit<ConfusionPictureOptions, 'colors'>,
): Promise<string> {
  const { content, width, height } = confusionPicture({ ...options, colors: themeMatrixColors() });
  return format === 'svg' ? content : pngPicture(content, width, height, pngScale);
}
