import type { Preprocessing } from '../../protocol/preprocessing.ts';
import { float32Tensor, type Tensor } from '../graph/tensor.ts';
import type { ImageBatch } from './classifier.ts';

/** One affine a channel: what the graph's `normalize` takes. */
export interface Normalization {
  readonly scale: readonly number[];
  readonly shift: readonly number[];
  /** `order[i]`: which of R, G, B becomes channel `i`. */
  readonly order: readonly number[];
}

/** `(pixel * scale - mean) / std` as `pixel * scale' + shift'`, channel by channel. */
export function normalizationOf({ scale, mean, std, channels }: Preprocessing): Normalization {
  return {
    scale: std.map((deviation) => scale / deviation),
    shift: std.map((deviation, channel) => -(mean[channel] ?? 0) / deviation),
    order: channels === 'rgb' ? [0, 1, 2] : [2, 1, 0],
  };
}

/** Images as a foreign network wants them: float32 `[N, 3, H, W]`, normalised, in its own channel order. */
export function normalizeImages(images: ImageBatch, preprocessing: Preprocessing): Tensor & { dtype: 'float32' } {
  const { scale, shift, order } = normalizationOf(preprocessing);
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
