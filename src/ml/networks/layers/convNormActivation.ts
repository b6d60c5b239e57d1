import type { GraphBuilder } from '../../graph/graph.ts';
import { conv2d } from '../../operators/convolution/conv2d.ts';
import { batchNorm2d, type BatchNormOptions } from '../../operators/norm/batchNorm2d.ts';

export interface ConvNormActivationOptions {
  readonly channels: number;
  readonly kernel: number;
  readonly stride?: number;
  /** As many as the image has channels make it depthwise. */
  readonly groups?: number;
  readonly norm?: BatchNormOptions;
  /** Behind the norm; none by default. */
  readonly activation?: (builder: GraphBuilder, x: string) => string;
}

/**
 * torchvision's Conv2dNormActivation under the module name `name`: a convolution without bias (`0`) that keeps the size
 * but for its stride, batch norm (`1`) and an activation.
 */
export function convNormActivation(
  builder: GraphBuilder,
  name: string,
  x: string,
  { channels, kernel, stride = 1, groups = 1, norm, activation = (_, y) => y }: ConvNormActivationOptions,
): string {
  const geometry = { channels, kernel, stride, padding: (kernel - 1) / 2, groups, bias: false };
  return activation(builder, batchNorm2d(builder, `${name}.1`, conv2d(builder, `${name}.0`, x, geometry), norm));
}
