import type { Preprocessing } from '../../protocol/preprocessing.ts';
import { pixelConstants } from '../graph/pixelConstants.ts';
import { float32Tensor, type Tensor } from '../graph/tensor.ts';
import type { ImageBatch } from './classifier.ts';

/** Images as a foreign network wants them: float32 `[N, 3, H, W]`, normalised, in its own channel order. */
export function normalizeImages(images: ImageBatch, preprocessing: Preprocessing): Tensor & { dtype: 'float32' } {
  const { scale, shift, order } = pixelConstants(preprocessing);
  const [count = 0, channels = 3, height = 0, width = 0] = images.shape;
  const plane = height * width;
  const result = float32Tensor(images.shape);
  for (let start = 0; start < count * channels * plane; start += channels * plane) {
    for (let channel = 0; channel < channels; channel++) {
      const source = start + (order[channel] ?? 0) * plane;
      const target = start + channel * plane;
      const [factor = 1, offset = 0] = [scale[channel], shift[channel]];
      for (let at = 0; at < plane; at++) result.data[target + at] = (images.data[source + at] ?? 0) * factor + offset;
    }
  }
  return result;
}
