export type Pair = readonly [vertical: number, horizontal: number];

/** Geometry of a convolution, as in torch's Conv2d. Padding is symmetric. */
export interface Convolution {
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation: Pair;
  readonly groups: number;
}

/** Geometry of a pooling window, as in torch's MaxPool2d and AvgPool2d. */
export interface Pooling {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  /** Rounds the output size up instead of down (SqueezeNet). */
  readonly ceilMode: boolean;
}

/** Length of a convolution's map over `length`. */
export function convolvedSize(length: number, kernel: number, geometry: Convolution, axis: 0 | 1): number {
  const { stride, padding, dilation } = geometry;
  return Math.floor((length + 2 * padding[axis] - dilation[axis] * (kernel - 1) - 1) / stride[axis]) + 1;
}

/** Length of a pooling's map over `length`, as torch computes it: no window starts in the padding behind the image. */
export function pooledSize(length: number, kernel: number, stride: number, padding: number, ceilMode: boolean): number {
  const steps = (length + 2 * padding - kernel) / stride;
  const size = (ceilMode ? Math.ceil(steps) : Math.floor(steps)) + 1;
  return ceilMode && (size - 1) * stride >= length + padding ? size - 1 : size;
}
