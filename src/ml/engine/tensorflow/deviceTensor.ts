import type { TensorType } from '../../graph/graph.ts';
import { float32Tensor, type Tensor } from '../../graph/tensor.ts';
import { fromDeviceOrder, toDeviceOrder, type DeviceTensor, type TensorFlow } from '../../operators/tensorflow.ts';

type Axes = Pick<TensorType, 'axes'>;

/** Copies a tensor to the device, as float32 in the device's layout. Throws for int64, which no network takes. */
export function upload(tf: TensorFlow, tensor: Tensor, type: Axes): DeviceTensor {
  if (tensor.dtype === 'int64') throw new Error('the TensorFlow engine takes no int64 tensors');
  // A copy: the CPU backend would go on using the caller's array.
  const data = Float32Array.from(tensor.data);
  return tf.tidy(() => toDeviceOrder(tf, tf.tensor(data, [...tensor.shape], 'float32'), type));
}

/** Copies a device's tensor to memory in torch's layout. The device keeps its own. */
export function download(tf: TensorFlow, value: DeviceTensor, type: Axes): Tensor & { dtype: 'float32' } {
  const ordered = fromDeviceOrder(tf, value, type);
  // A copy: the CPU backend gives out the array that it computes with.
  const data = Float32Array.from(ordered.dataSync());
  const { shape } = ordered;
  if (ordered !== value) ordered.dispose();
  return float32Tensor(shape, data);
}
