import { float32Tensor, type Tensor } from '../../graph/tensor.ts';
import type * as tfjs from '@tensorflow/tfjs';

/** The functions of TensorFlow.js, whichever package they come from. */
export type TensorFlow = typeof tfjs;
/** A tensor that TensorFlow.js holds; must be disposed, by `tf.tidy` or by hand. */
export type DeviceTensor = tfjs.Tensor;
export type DeviceImage = tfjs.Tensor4D;

/** What a tensor of four dimensions is: an image `[N, C, H, W]`, or a convolution's weight `[O, I, kH, kW]`. */
export type Role = 'image' | 'weight';

/** TensorFlow.js computes on images `[N, H, W, C]` and weights `[kH, kW, I, O]`; its CPU backend knows nothing else. */
const toDeviceOrder = { image: [0, 2, 3, 1], weight: [2, 3, 1, 0] } as const;
const fromDeviceOrder = { image: [0, 3, 1, 2], weight: [3, 2, 0, 1] } as const;

/** Copies a tensor to the device, as float32 in the device's layout. Throws for int64, which no network takes. */
export function upload(tf: TensorFlow, tensor: Tensor, role: Role): DeviceTensor {
  if (tensor.dtype === 'int64') throw new Error('the TensorFlow engine takes no int64 tensors');
  // A copy: the CPU backend would go on using the caller's array.
  const data = Float32Array.from(tensor.data);
  return tf.tidy(() => {
    const value = tf.tensor(data, [...tensor.shape], 'float32');
    return tensor.shape.length === 4 ? tf.transpose(value, [...toDeviceOrder[role]]) : value;
  });
}

/** Copies a device's tensor to memory in torch's layout. The device keeps its own. */
export function download(tf: TensorFlow, value: DeviceTensor, role: Role): Tensor & { dtype: 'float32' } {
  const ordered = value.rank === 4 ? tf.transpose(value, [...fromDeviceOrder[role]]) : value;
  // A copy: the CPU backend gives out the array that it computes with.
  const data = Float32Array.from(ordered.dataSync());
  const { shape } = ordered;
  if (ordered !== value) ordered.dispose();
  return float32Tensor(shape, data);
}

/** The value as `[N, H, W, C]`. Throws where it has another rank. */
export function asImage(value: DeviceTensor): DeviceImage {
  if (value.rank !== 4) throw new Error(`a value of shape [${value.shape.join(', ')}] is no image`);
  return value as DeviceImage;
}

/** The value as a vector. Throws where it has another rank. */
export function asVector(value: DeviceTensor): tfjs.Tensor1D {
  if (value.rank !== 1) throw new Error(`a value of shape [${value.shape.join(', ')}] is no vector`);
  return value as tfjs.Tensor1D;
}

/** The value as a matrix. Throws where it has another rank. */
export function asMatrix(value: DeviceTensor): tfjs.Tensor2D {
  if (value.rank !== 2) throw new Error(`a value of shape [${value.shape.join(', ')}] is no matrix`);
  return value as tfjs.Tensor2D;
}
