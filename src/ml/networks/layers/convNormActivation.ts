import type { Pair } from '../../graph/geometry.ts';
import type { GraphBuilder } from '../../graph/graph.ts';
import { conv2d } from '../../operators/convolution/conv2d.ts';
import { batchNorm2d, type BatchNormOptions } from '../../operators/norm/batchNorm2d.ts';

export interface ConvNormActivationOptions {
  readonly channels: number;
  readonly kernel: number | Pair;
  readonly stride?: number;
  /** As many as the kernel's size needs by default, so that the map keeps the image's size but for the stride. */
  readonly padding?: number | Pair;
  /** As many as the image has channels make it depthwise. */
  readonly groups?: number;
  readonly norm?: BatchNormOptions | undefined;
  /** Behind the norm; none by default. */
  readonly activation?: (builder: GraphBuilder, x: string) => string;
}

/** torchvision's Conv2dNormActivation under the module name `name`: a convolution without bias (`0`), batch norm (`1`) and an activation. */
export function convNormActivation(
  builder: GraphBuilder,
  name: string,
  x: string,
  options: ConvNormActivationOptions,
): string {
  return namedConvNormActivation(builder, [`${name}.0`, `${name}.1`], x, options);
}

/** The same with the names of the convolution's module and of the norm's. */
export function namedConvNormActivation(
  builder: GraphBuilder,
  [convolution, norm]: readonly [convolution: string, norm: string],
  x: string,
  { norm: normOptions, activation = (_, y) => y, ...options }: ConvNormActivationOptions,
): string {
  const { kernel, padding = halved(kernel) } = options;
  const y = conv2d(builder, convolution, x, { ...options, padding, bias: false });
  return activation(builder, batchNorm2d(builder, norm, y, normOptions));
}

function halved(kernel: number | Pair): number | Pair {
  return typeof kernel === 'number' ? (kernel - 1) / 2 : [(kernel[0] - 1) / 2, (kernel[1] - 1) / 2];
}
