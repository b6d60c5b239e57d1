import type { Convolution } from '../../graph/geometry.ts';
import { asImage, type DeviceImage, type DeviceTensor, type TensorFlow } from '../tensorflow.ts';

/**
 * torch's Conv2d without its bias: image `[N, H, W, I]`, weight `[kH, kW, I/groups, O]` -> `[N, H', W', O]`.
 * A dilated kernel is one with zeros between its taps, because TensorFlow.js has no gradient for dilations.
 */
export function convolve(
  tf: TensorFlow,
  image: DeviceImage,
  weight: DeviceImage,
  { stride, padding, dilation, groups }: Convolution,
): DeviceImage {
  const kernel = dilate(tf, weight, dilation);
  const strides: [number, number] = [stride[0], stride[1]];
  const padded = padImage(tf, image, [padding[0], padding[0]], [padding[1], padding[1]], 0);
  if (groups === 1) return tf.conv2d(padded, kernel, strides, 'valid');
  const channels = padded.shape[3];
  if (groups === channels) {
    const [height, width, , outputs] = kernel.shape;
    const depthwise = tf.reshape(kernel, [height, width, channels, outputs / channels]);
    return tf.depthwiseConv2d(padded, asImage(depthwise), strides, 'valid');
  }
  const images: DeviceTensor[] = tf.split(padded, groups, 3);
  const kernels: DeviceTensor[] = tf.split(kernel, groups, 3);
  const parts = images.map((part, index) => {
    const own = kernels[index];
    if (!own) throw new Error(`no weight for group ${index}`);
    return tf.conv2d(asImage(part), asImage(own), strides, 'valid');
  });
  return asImage(tf.concat(parts, 3));
}

/**
 * The image with rows and columns of `value` around it. Padding is always a step of its own: the gradients of
 * TensorFlow's native backend know only `valid` and `same`, and `same` is not torch's padding when the stride is 2.
 */
export function padImage(
  tf: TensorFlow,
  image: DeviceImage,
  rows: readonly [before: number, after: number],
  columns: readonly [before: number, after: number],
  value: number,
): DeviceImage {
  if ([...rows, ...columns].every((size) => size === 0)) return image;
  return tf.pad(image, [[0, 0], [...rows], [...columns], [0, 0]], value);
}

function dilate(tf: TensorFlow, weight: DeviceImage, [vertical, horizontal]: Convolution['dilation']): DeviceImage {
  if (vertical === 1 && horizontal === 1) return weight;
  const [height, width, inputs, outputs] = weight.shape;
  // Each tap becomes a block of its own with zeros behind it; what stands behind the last tap is cut off again.
  const blocks = tf.pad(tf.reshape(weight, [height, 1, width, 1, inputs * outputs]), [
    [0, 0],
    [0, vertical - 1],
    [0, 0],
    [0, horizontal - 1],
    [0, 0],
  ]);
  const spread = tf.reshape(blocks, [height * vertical, width * horizontal, inputs, outputs]);
  const size = [(height - 1) * vertical + 1, (width - 1) * horizontal + 1, inputs, outputs];
  return asImage(tf.slice(spread, [0, 0, 0, 0], size));
}
