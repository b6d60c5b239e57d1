import type * as tfjs from '@tensorflow/tfjs';
import type { TensorType } from '../graph/graph.ts';

/** The functions of TensorFlow.js, whichever package they come from. */
export type TensorFlow = typeof tfjs;
/** A tensor that TensorFlow.js holds; must be disposed, by `tf.tidy` or by hand. */
export type DeviceTensor = tfjs.Tensor;
export type DeviceImage = tfjs.Tensor4D;

/** TensorFlow.js computes on images `[N, H, W, C]` and kernels `[kH, kW, I, O]`; its CPU backend knows nothing else. */
const toDevice = { image: [0, 2, 3, 1], kernel: [2, 3, 1, 0] } as const;
const fromDevice = { image: [0, 3, 1, 2], kernel: [3, 2, 0, 1] } as const;

/** A value in the order of its shape, as TensorFlow.js is to hold it. */
export function toDeviceOrder(tf: TensorFlow, value: DeviceTensor, { axes }: Pick<TensorType, 'axes'>): DeviceTensor {
  return axes === 'plain' ? value : tf.transpose(value, [...toDevice[axes]]);
}

/** A value as TensorFlow.js holds it, in the order of its shape. */
export function fromDeviceOrder(tf: TensorFlow, value: DeviceTensor, { axes }: Pick<TensorType, 'axes'>): DeviceTensor {
  return axes === 'plain' ? value : tf.transpose(value, [...fromDevice[axes]]);
}

/** Where TensorFlow.js has an axis of a value. */
export function deviceAxis({ axes }: Pick<TensorType, 'axes'>, axis: number): number {
  return axes === 'plain' ? axis : toDevice[axes].findIndex((from) => from === axis);
}

/** The value as `[N, H, W, C]`. Throws if it has another rank. */
export function asImage(value: DeviceTensor): DeviceImage {
  if (value.rank !== 4) throw new Error(`a value of shape [${value.shape.join(', ')}] is not an image`);
  return value as DeviceImage;
}

/** The value as a vector. Throws if it has another rank. */
export function asVector(value: DeviceTensor): tfjs.Tensor1D {
  if (value.rank !== 1) throw new Error(`a value of shape [${value.shape.join(', ')}] is not a vector`);
  return value as tfjs.Tensor1D;
}

/** The value as a matrix. Throws if it has another rank. */
export function asMatrix(value: DeviceTensor): tfjs.Tensor2D {
  if (value.rank !== 2) throw new Error(`a value of shape [${value.shape.join(', ')}] is not a matrix`);
  return value as tfjs.Tensor2D;
}
