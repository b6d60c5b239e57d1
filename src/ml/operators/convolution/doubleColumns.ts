import { imageShape } from '../../graph/builder.ts';
import type { Convolution, Pair } from '../../graph/geometry.ts';
import type { Lowering } from '../../lowering/lowering.ts';

export interface Window {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  /** Size of the map of what each tap sees. */
  readonly out: Pair;
}

/** What each tap of a window sees of a padded image `[N, C, H, W]`: in scan order, `[N, groups, C / groups, out pixels]`. */
export function tapViews(
  lowering: Lowering,
  image: string,
  [n, channels, groups]: readonly [number, number, number],
  window: Window,
): string[] {
  const { emit, integers } = lowering;
  const { kernel, stride, dilation, out } = window;
  return Array.from({ length: kernel[0] * kernel[1] }, (_, tap) => {
    const start = [Math.floor(tap / kernel[1]) * dilation[0], (tap % kernel[1]) * dilation[1]] as const;
    const end = [start[0] + (out[0] - 1) * stride[0] + 1, start[1] + (out[1] - 1) * stride[1] + 1];
    const view = emit('Slice', [image, integers(start), integers(end), integers([2, 3]), integers(stride)]);
    return emit('Reshape', [view, integers([n, groups, channels / groups, out[0] * out[1]])]);
  });
}

/** The image with zeros around it; negative numbers cut it. */
export function padZeros(lowering: Lowering, image: string, before: Pair, after: Pair): string {
  if ([...before, ...after].every((size) => size === 0)) return image;
  return lowering.emit('Pad', [image, lowering.integers([0, 0, ...before, 0, 0, ...after])]);
}

/** What all taps see of an image, one under the other: `[N, groups, taps * C / groups, out pixels]`. */
export function columnsOf(
  lowering: Lowering,
  x: string,
  kernel: Pair,
  { stride, padding, dilation, groups }: Convolution,
  out: Pair,
): string {
  const [n, channels] = imageShape(lowering.graph, x);
  const window = { kernel, stride, dilation, out };
  const views = tapViews(lowering, padZeros(lowering, x, padding, padding), [n, channels, groups], window);
  return lowering.emit('Concat', views, { axis: 2 });
}
