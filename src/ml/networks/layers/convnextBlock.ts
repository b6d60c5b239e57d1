import { imageShape, parameter } from '../../graph/builder.ts';
import { typeOf, type GraphBuilder } from '../../graph/graph.ts';
import { gelu } from '../../operators/activation/gelu.ts';
import { conv2d } from '../../operators/convolution/conv2d.ts';
import { add } from '../../operators/elementwise/arithmetic.ts';
import { layerScale } from '../../operators/elementwise/layerScale.ts';
import { applyLinear } from '../../operators/matmul/linear.ts';
import { reshape } from '../../operators/movement/reshape.ts';
import { transpose } from '../../operators/movement/transpose.ts';
import { globalResponseNorm } from '../../operators/norm/globalResponseNorm.ts';
import { layerNorm } from '../../operators/norm/layerNorm.ts';

/** What the modules of a ConvNeXt block are called: torchvision and timm differ in nothing else. */
export interface ConvnextBlockNames {
  readonly depthwise: string;
  readonly norm: string;
  readonly expand: string;
  readonly shrink: string;
  /** The learned factor of each channel, and its shape; none in ConvNeXt V2. */
  readonly scale?: { readonly name: string; readonly shape: (channels: number) => readonly number[] };
  /** The global response norm of ConvNeXt V2. */
  readonly responseNorm?: string;
}

export interface ConvnextBlockOptions {
  readonly names: ConvnextBlockNames;
  readonly kernel?: number;
  readonly epsilon?: number;
  /** Whether the two Linears are stored as convolutions of 1x1, `[out, in, 1, 1]`. */
  readonly asConvolutions?: boolean;
}

/** How much wider the hidden layer between two Linears is. */
const expansion = 4;

/** A Linear along the last axis, stored as one or as a convolution of 1x1. */
function pointwise(builder: GraphBuilder, name: string, x: string, features: number, asConvolution: boolean): string {
  const inputs = typeOf(builder, x).shape.at(-1) ?? 1;
  const shape = [features, inputs];
  const stored = parameter(builder, `${name}.weight`, asConvolution ? [...shape, 1, 1] : shape);
  const weight = asConvolution ? reshape(builder, stored, shape) : stored;
  return applyLinear(builder, x, weight, parameter(builder, `${name}.bias`, [features]));
}

/**
 * ConvNeXt's block (Liu et al. 2022, https://arxiv.org/abs/2201.03545): a depthwise convolution, layer norm, and two Linears
 * around GELU at every pixel, added to what came in. `[N, C, H, W]` -> the same.
 */
export function convnextBlock(
  builder: GraphBuilder,
  x: string,
  { names, kernel = 7, epsilon = 1e-6, asConvolutions = false }: ConvnextBlockOptions,
): string {
  const [, channels] = imageShape(builder, x);
  const { scale } = names;
  const factor = scale && parameter(builder, scale.name, scale.shape(channels));
  const depthwise = { channels, kernel, padding: (kernel - 1) / 2, groups: channels };
  const map = transpose(builder, conv2d(builder, names.depthwise, x, depthwise), [0, 2, 3, 1]);
  const normalised = layerNorm(builder, names.norm, map, epsilon);
  let y = gelu(builder, pointwise(builder, names.expand, normalised, expansion * channels, asConvolutions));
  if (names.responseNorm !== undefined) y = globalResponseNorm(builder, names.responseNorm, y);
  y = pointwise(builder, names.shrink, y, channels, asConvolutions);
  if (factor !== undefined) y = layerScale(builder, y, factor);
  return add(builder, x, transpose(builder, y, [0, 3, 1, 2], 'image'));
}
