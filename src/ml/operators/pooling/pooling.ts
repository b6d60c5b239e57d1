import { sizesOfImage } from '../../graph/builder.ts';
import { pooledSize, type Pair, type Pooling } from '../../graph/geometry.ts';
import { floats, type TensorType } from '../../graph/graph.ts';
import { blocked, blockedDomain } from '../../lowering/blocked/blockedLayout.ts';
import type { AttributeValue, Lowering } from '../../lowering/lowering.ts';
import type { Doubles, Run } from '../operator.ts';
import { fillImage, reader, sizesOf } from '../references.ts';

/** Options of a pooling window, with torch's defaults. A number stands for both directions. */
export interface PoolingOptions {
  readonly kernel: number | Pair;
  readonly stride: number | Pair;
  readonly padding?: number | Pair;
  readonly ceilMode?: boolean;
}

/** The attributes of a pooling operator. */
export function poolingOf({ kernel, stride, padding = 0, ceilMode = false }: PoolingOptions): Pooling {
  const pair = (value: number | Pair): Pair => (typeof value === 'number' ? [value, value] : value);
  return { kernel: pair(kernel), stride: pair(stride), padding: pair(padding), ceilMode };
}

/** The shape rule of poolings. */
export function pooledType(
  [image]: readonly TensorType[],
  { kernel, stride, padding, ceilMode }: Pooling,
): TensorType[] {
  const [n, c, h, w] = sizesOfImage(image);
  const size = (length: number, axis: 0 | 1) => pooledSize(length, kernel[axis], stride[axis], padding[axis], ceilMode);
  return [floats([n, c, size(h, 0), size(w, 1)], 'image')];
}

/** The attributes of ONNX's poolings. */
export function poolingAttributes({ kernel, stride, padding, ceilMode }: Pooling): Record<string, AttributeValue> {
  return { kernel_shape: kernel, strides: stride, pads: [...padding, ...padding], ceil_mode: ceilMode ? 1 : 0 };
}

/** A pooling of blocked images. */
export function lowerBlockedPool(
  lowering: Lowering,
  opType: 'MaxPool' | 'AveragePool',
  [x = '']: readonly string[],
  attributes: Readonly<Record<string, AttributeValue>>,
  output: string | undefined,
): void {
  lowering.emit(opType, [blocked(lowering, x)], { domain: blockedDomain, ...attributes }, output);
}

/** Windows hold the image and its padding (`outside`), never what lies beyond the padding in ceil mode. */
export function poolDoubles(
  x: Doubles,
  { attributes: { kernel, stride, padding }, inputs, outputs }: Run<Pooling>,
  outside: number,
  reduce: (window: number[]) => number,
): Doubles {
  const from = sizesOf(inputs[0]);
  const read = reader(x, from, outside);
  return fillImage(sizesOf(outputs[0]), (n, c, y, z) => {
    const window: number[] = [];
    for (let u = 0; u < kernel[0]; u++)
      for (let v = 0; v < kernel[1]; v++) {
        const [row, column] = [y * stride[0] + u - padding[0], z * stride[1] + v - padding[1]];
        if (row < from[2] + padding[0] && column < from[3] + padding[1]) window.push(read(n, c, row, column));
      }
    return reduce(window);
  });
}
