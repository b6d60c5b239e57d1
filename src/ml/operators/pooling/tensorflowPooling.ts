import { pooledSize, type Pooling } from '../../graph/geometry.ts';
import { padImage } from '../convolution/tensorflowConvolution.ts';
import { asImage, type DeviceImage, type TensorFlow } from '../tensorflow.ts';

/** One axis of a pooling window over an image. */
interface Axis {
  readonly before: number;
  /** Padding behind, with what `ceilMode` adds so that the last window is whole. */
  readonly after: number;
  /** For each window, how many of its places lie in the image or its padding and not in what `ceilMode` added. */
  readonly counted: readonly number[];
}

function axisOf(length: number, pooling: Pooling, axis: 0 | 1): Axis {
  const [kernel, stride, padding] = [pooling.kernel[axis], pooling.stride[axis], pooling.padding[axis]];
  const windows = pooledSize(length, kernel, stride, padding, pooling.ceilMode);
  const padded = length + 2 * padding;
  const covered = (windows - 1) * stride + kernel;
  return {
    before: padding,
    after: padding + Math.max(0, covered - padded),
    counted: Array.from({ length: windows }, (_, index) => Math.min(kernel, padded - index * stride)),
  };
}

const pair = ([vertical, horizontal]: readonly [number, number]): [number, number] => [vertical, horizontal];

/** torch's MaxPool2d on `[N, H, W, C]`. Padding never wins, whatever the sign of the image; of a tie the first is taken. */
export function maxPool(tf: TensorFlow, image: DeviceImage, pooling: Pooling): DeviceImage {
  const [rows, columns] = [axisOf(image.shape[1], pooling, 0), axisOf(image.shape[2], pooling, 1)];
  const padded = padImage(tf, image, [rows.before, rows.after], [columns.before, columns.after], -Infinity);
  return tf.maxPool(padded, pair(pooling.kernel), pair(pooling.stride), 'valid');
}

/** torch's AvgPool2d on `[N, H, W, C]` with `count_include_pad`: padding counts as zeros, what `ceilMode` adds does not count. */
export function averagePool(tf: TensorFlow, image: DeviceImage, pooling: Pooling): DeviceImage {
  const [rows, columns] = [axisOf(image.shape[1], pooling, 0), axisOf(image.shape[2], pooling, 1)];
  const padded = padImage(tf, image, [rows.before, rows.after], [columns.before, columns.after], 0);
  const mean = tf.avgPool(padded, pair(pooling.kernel), pair(pooling.stride), 'valid');
  const [height, width] = pooling.kernel;
  const share = rows.counted.flatMap((row) => columns.counted.map((column) => (height * width) / (row * column)));
  if (share.every((value) => value === 1)) return mean;
  return asImage(tf.mul(mean, tf.tensor(share, [1, rows.counted.length, columns.counted.length, 1])));
}
