import { imageShape } from '../../graph/builder.ts';
import type { Node } from '../../graph/graph.ts';
import { convolutionAttributes } from '../convolutionAttributes.ts';
import { blocked, blockedDomain } from './blockedLayout.ts';
import { cutFromLaterJoin } from './cutChannels.ts';
import { floatList, shapeAfter, type AttributeValue, type Lowering, type NormalizedImage } from '../lowering.ts';

/*
 * What a batch norm makes of an image, and a ReLU of that, is one pass over the image. The gradient of the norm needs the
 * image anyway, so that it is kept for the backward pass; the result is not, but computed again where it is needed.
 */

/** How an affine pass goes on: what it adds, applies to the sum, and waits for. */
interface AffineOptions {
  readonly output?: string | undefined;
  readonly other?: string;
  readonly activation?: Readonly<Record<string, AttributeValue>>;
  readonly after?: string;
}

/** Per-channel `scale * x (+ shift) (+ other)` in one pass: a depthwise convolution of one pixel. */
export function affine(
  lowering: Lowering,
  { x, scale, shift, channels }: { x: string; scale: string; shift?: string; channels: number },
  { output, other, activation, after }: AffineOptions = {},
): string {
  const { emit, floats, integers } = lowering;
  const shape = [channels, 1, 1, 1];
  const weight = emit('Reshape', [scale, after === undefined ? integers(shape) : shapeAfter(lowering, shape, [after])]);
  const geometry = { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: channels } as const;
  const attributes = { domain: blockedDomain, ...convolutionAttributes(geometry, [1, 1]), ...activation };
  const bias = shift ?? floats(new Array<number>(channels).fill(0), [channels]);
  return emit('Conv', other === undefined ? [x, weight, bias] : [x, weight, bias, other], attributes, output);
}

/** Notes that a batch norm's result can be computed again from an image that its gradient keeps. */
export function noteNormalized(
  lowering: Lowering,
  { inputs: [image = ''], outputs: [y = ''] }: Node,
  pass: { readonly scale: string; readonly shift: string },
): void {
  const isKept = lowering.graph.nodes.some(({ gradientOf, inputs }) => gradientOf === y && inputs.includes(image));
  if (isKept) lowering.normalized.set(y, { image, ...pass, rectified: false });
}

/** Notes the same of a ReLU's result, where a batch norm is behind it. */
export function noteRectified(lowering: Lowering, { inputs: [x = ''], outputs: [y = ''] }: Node): void {
  const source = lowering.normalized.get(x);
  if (source) lowering.normalized.set(y, { ...source, rectified: true });
}

/** Lets `lower` read `value` computed again, where it can be, once the gradient is there. */
export function withRecomputed(lowering: Lowering, value: string, gradient: string, lower: () => void): void {
  const source = lowering.normalized.get(value);
  if (source) {
    const activation = source.rectified ? { activation: 'Relu' } : {};
    lowering.alias.set(value, pass(lowering, source, gradient, activation));
  }
  lower();
  if (source) lowering.alias.delete(value);
}

/** 1 where a ReLU's result `y` is more than zero, else 0, from what a batch norm took; undefined for other images. */
export function recomputedMask(lowering: Lowering, y: string, gradient: string): string | undefined {
  const source = lowering.normalized.get(y);
  const step = { activation: 'HardSigmoid', activation_params: floatList([1e38, 0]) };
  return source && pass(lowering, source, gradient, step);
}

function pass(
  lowering: Lowering,
  { image, scale, shift }: NormalizedImage,
  after: string,
  activation: Readonly<Record<string, AttributeValue>>,
): string {
  const x = cutFromLaterJoin(lowering, image, after) ?? blocked(lowering, image);
  const [, channels] = imageShape(lowering.graph, image);
  return affine(lowering, { x, scale, shift, channels }, { after, activation });
}
