import type { Lowering } from './lowering.ts';
import { pooledSum } from './webgpu/webgpuSums.ts';

/** The sum of a value of `shape`, `[N, C, ...]`, over all but the channels, `[C]`. */
export function channelSum(lowering: Lowering, value: string, shape: readonly number[], output?: string): string {
  if (lowering.webgpu && shape.length === 4) return pooledSum(lowering, value, shape, 1, output);
  const axes = shape.map((_, axis) => axis).filter((axis) => axis !== 1);
  return lowering.emit('ReduceSum', [value, lowering.integers(axes)], { keepdims: 0 }, output);
}
