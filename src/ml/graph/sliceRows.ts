import { elementCount, type Tensor } from './tensor.ts';

/** Rows `[start, end)` of a tensor along its first dimension, as a view of the same memory. */
export function sliceRows(tensor: Tensor, start: number, end: number): Tensor {
  const rest = tensor.shape.slice(1);
  const row = elementCount(rest);
  const shape = [end - start, ...rest];
  switch (tensor.dtype) {
    case 'float32':
      return { dtype: 'float32', shape, data: tensor.data.subarray(start * row, end * row) };
    case 'uint8':
      return { dtype: 'uint8', shape, data: tensor.data.subarray(start * row, end * row) };
    case 'int64':
      return { dtype: 'int64', shape, data: tensor.data.subarray(start * row, end * row) };
  }
}
