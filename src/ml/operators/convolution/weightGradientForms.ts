import { imageShape } from '../../graph/builder.ts';
import type { Convolution } from '../../graph/geometry.ts';
import type { Node } from '../../graph/graph.ts';
import { convolutionAttributes } from '../../lowering/convolutionAttributes.ts';
import type { Lowering } from '../../lowering/lowering.ts';

export interface WeightGradient extends Convolution {
  readonly weightShape: readonly number[];
}

/** x, dy -> dweight of shape `weightShape` */
export type WeightGradientNode = Node<WeightGradient>;

function sizes(shape: readonly number[]): readonly [number, number, number, number] {
  const [n = 1, c = 1, h = 1, w = 1] = shape;
  return [n, c, h, w];
}

/**
 * dw of a convolution, in the form that suits its shape (figures in bench/NOTES.md):
 * few input channels: one convolution of the transposed tensors; a 1x1 kernel on a large map: a product for each image,
 * summed; otherwise one product for each kernel tap over all images at once, with the channels last.
 */
export function lowerWeightGradient(lowering: Lowering, node: WeightGradientNode): void {
  const [x = ''] = node.inputs;
  const [, channels] = imageShape(lowering.graph, x);
  const [, , outHeight, outWidth] = imageShape(lowering.graph, node.inputs[1] ?? '');
  if (node.attributes.groups !== 1) weightGradientInGroups(lowering, node);
  else if (channels <= 4) weightGradientByConvolution(lowering, node, x, node.inputs[1] ?? '', node.outputs[0]);
  else if (isPointwise(node) && outHeight * outWidth >= 400) weightGradientByImage(lowering, node);
  else
    weightGradientByTap(
      lowering,
      node,
      lowering.emit('Transpose', [x], { perm: [0, 2, 3, 1] }),
      node.inputs[1] ?? '',
      node.outputs[0],
    );
}

/** A 1x1 convolution that sees every pixel once: a plain matrix product. */
function isPointwise({ attributes: { weightShape, stride, padding } }: WeightGradientNode): boolean {
  const [, , kh, kw] = sizes(weightShape);
  return kh === 1 && kw === 1 && stride[0] === 1 && stride[1] === 1 && padding[0] === 0 && padding[1] === 0;
}

/** One convolution of the transposed tensors, stride and dilation exchanged; `x` and `dy` are plain `[N, C, H, W]`. */
export function weightGradientByConvolution(
  lowering: Lowering,
  node: WeightGradientNode,
  x: string,
  dy: string,
  output?: string,
): string {
  const [, , kh, kw] = sizes(node.attributes.weightShape);
  const [, , outHeight, outWidth] = imageShape(lowering.graph, node.inputs[1] ?? '');
  const swap = { perm: [1, 0, 2, 3] };
  const images = lowering.emit('Transpose', [x], swap);
  const kernel = lowering.emit('Transpose', [dy], swap);
  const geometry = {
    stride: node.attributes.dilation,
    padding: node.attributes.padding,
    dilation: node.attributes.stride,
    groups: 1,
  };
  const wide = lowering.emit('Conv', [images, kernel], convolutionAttributes(geometry, [outHeight, outWidth]));
  const { integers } = lowering;
  const taps = lowering.emit('Slice', [wide, integers([0, 0]), integers([kh, kw]), integers([2, 3])]);
  return lowering.emit('Transpose', [taps], swap, output);
}

/**
 * The same for groups, whose images and kernels lie side by side along the channels: one convolution in as many groups,
 * `[I / groups, groups N, H, W]` by `[O, N, outH, outW]`.
 */
function weightGradientInGroups(lowering: Lowering, node: WeightGradientNode): void {
  const { emit, integers } = lowering;
  const [x = '', dy = ''] = node.inputs;
  const { dilation, padding, stride, groups } = node.attributes;
  const [, perGroup, kh, kw] = sizes(node.attributes.weightShape);
  const [n, , height, width] = imageShape(lowering.graph, x);
  const [, , outHeight, outWidth] = imageShape(lowering.graph, dy);
  const split = emit('Reshape', [x, integers([n, groups, perGroup, height, width])]);
  const exchanged = emit('Transpose', [split], { perm: [2, 1, 0, 3, 4] });
  const images = emit('Reshape', [exchanged, integers([perGroup, groups * n, height, width])]);
  const kernel = emit('Transpose', [dy], { perm: [1, 0, 2, 3] });
  const geometry = { stride: dilation, padding, dilation: stride, groups };
  const wide = emit('Conv', [images, kernel], convolutionAttributes(geometry, [outHeight, outWidth]));
  const taps = emit('Slice', [wide, integers([0, 0]), integers([kh, kw]), integers([2, 3])]);
  emit('Transpose', [taps], { perm: [1, 0, 2, 3] }, node.outputs[0]);
}

/** One product an image, `[O, pixels] x [pixels, I]`, without a copy of either. */
function weightGradientByImage(lowering: Lowering, node: WeightGradientNode): void {
  const { emit, integers } = lowering;
  const [x = '', dy = ''] = node.inputs;
  const [n, outputs, outHeight, outWidth] = imageShape(lowering.graph, dy);
  const [, inputs] = imageShape(lowering.graph, x);
  const pixels = outHeight * outWidth;
  const rows = emit('Reshape', [dy, integers([n, outputs, pixels])]);
  const columns = emit('Reshape', [x, integers([n, inputs, pixels])]);
  const products = emit('MatMul', [rows, emit('Transpose', [columns], { perm: [0, 2, 1] })]);
  const sum = emit('ReduceSum', [products, integers([0])], { keepdims: 0 });
  emit('Reshape', [sum, integers(node.attributes.weightShape)], {}, node.outputs[0]);
}

/** From so many pixels of an image on, a product for each image is faster than one over all (figures in bench/NOTES.md). */
const pixelsForProductsByImage = 2000;

/**
 * One product a kernel tap, `[O, pixels] x [pixels, I]`: over the pixels of all images, or of each image with a sum over
 * them where the map is large. The input comes `[N, H, W, I]`, so that what a tap sees are slices of whole rows, and dy
 * `[N, O, H, W]`; the taps are joined behind.
 */
export function weightGradientByTap(
  lowering: Lowering,
  node: WeightGradientNode,
  channelsLast: string,
  dy: string,
  output?: string,
): string {
  const { emit, integers } = lowering;
  const [n, outputs, outHeight, outWidth] = imageShape(lowering.graph, node.inputs[1] ?? '');
  const [, inputs, kh, kw] = sizes(node.attributes.weightShape);
  const pixels = outHeight * outWidth;
  const byImage = pixels >= pixelsForProductsByImage;
  const rows = byImage
    ? emit('Reshape', [dy, integers([n, outputs, pixels])])
    : emit('Reshape', [emit('Transpose', [dy], { perm: [1, 0, 2, 3] }), integers([outputs, n * pixels])]);
  const columns = integers(byImage ? [n, pixels, inputs] : [n * pixels, inputs]);
  const taps = tapSlices(lowering, node, channelsLast, [outHeight, outWidth]).map((slice) => {
    const product = emit('MatMul', [rows, emit('Reshape', [slice, columns])]);
    return byImage ? emit('ReduceSum', [product, integers([0])], { keepdims: 0 }) : product;
  });
  const [only] = taps;
  if (taps.length === 1 && only !== undefined)
    return emit('Reshape', [only, integers(node.attributes.weightShape)], {}, output);
  const flat = taps.map((tap) => emit('Reshape', [tap, integers([1, outputs, inputs])]));
  const joined = emit('Transpose', [emit('Concat', flat, { axis: 0 })], { perm: [1, 2, 0] });
  return emit('Reshape', [joined, integers([outputs, inputs, kh, kw])], {}, output);
}

/** What each kernel tap sees of the channels-last input: `[N, outH, outW, I]` slices of it, padded, in scan order. */
function tapSlices(lowering: Lowering, node: WeightGradientNode, x: string, out: readonly [number, number]): string[] {
  if (isPointwise(node)) return [x];
  const { emit, integers } = lowering;
  const [, , kh, kw] = sizes(node.attributes.weightShape);
  const [padH, padW] = node.attributes.padding;
  const padded = padH + padW > 0 ? emit('Pad', [x, integers([0, padH, padW, 0, 0, padH, padW, 0])]) : x;
  return Array.from({ length: kh * kw }, (_, tap) => {
    const start = [
      Math.floor(tap / kw) * node.attributes.dilation[0],
      (tap % kw) * node.attributes.dilation[1],
    ] as const;
    const end = start.map((value, axis) => value + ((out[axis] ?? 1) - 1) * (node.attributes.stride[axis] ?? 1) + 1);
    return emit('Slice', [padded, integers(start), integers(end), integers([1, 2]), integers(node.attributes.stride)]);
  });
}
