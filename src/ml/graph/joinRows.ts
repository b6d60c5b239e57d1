import { float32Tensor, type Tensor } from './tensor.ts';

/** Joins float32 tensors of equal shape but for their first dimension, in order. Throws for other types. */
export function joinRows(parts: readonly Tensor[]): Tensor & { dtype: 'float32' } {
  const rows = parts.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
  const joined = float32Tensor([rows, ...(parts[0]?.shape.slice(1) ?? [])]);
  let offset = 0;
  for (const { dtype, data } of parts) {
    if (dtype !== 'float32') throw new TypeError(`${dtype} rows cannot be joined`);
    joined.data.set(data, offset);
    offset += data.length;
  }
  return joined;
}
