import { imageShape } from '../graph/builder.ts';
import type { Convolution, NodeOf } from '../graph/graph.ts';
import type { Lowering } from './lowering.ts';

type Image = readonly [number, number, number, number];

function attributesOf({ stride, padding, dilation, groups }: Convolution, kernel: readonly [number, number]) {
  return {
    kernel_shape: kernel,
    strides: stride,
    pads: [...padding, ...padding],
    dilations: dilation,
    group: groups,
  };
}

function asImage(shape: readonly number[]): Image {
  const [n = 1, c = 1, h = 1, w = 1] = shape;
  return [n, c, h, w];
}

export function lowerConvolution(lowering: Lowering, node: NodeOf<'conv2d'>): void {
  const [, , height, width] = imageShape(lowering.graph, node.inputs[1] ?? '');
  lowering.emit('Conv', node.inputs, attributesOf(node, [height, width]), node.outputs[0]);
}

/**
 * dx of a convolution. Stride 1: a convolution of dy with the kernel flipped and its channels exchanged, the fastest
 * form that ONNX Runtime has; otherwise ConvTranspose.
 */
export function lowerConvolutionInputGradient(lowering: Lowering, node: NodeOf<'conv2dInputGradient'>): void {
  const [weight = '', dy = ''] = node.inputs;
  const [, , kh, kw] = imageShape(lowering.graph, weight);
  const [dilationH, dilationW] = node.dilation;
  const pads = [dilationH * (kh - 1) - node.padding[0], dilationW * (kw - 1) - node.padding[1]] as const;
  const direct = node.stride[0] === 1 && node.stride[1] === 1 && node.groups === 1 && pads[0] >= 0 && pads[1] >= 0;
  if (direct) {
    const kernel = lowering.emit('Transpose', [flip(lowering, weight, kh, kw)], { perm: [1, 0, 2, 3] });
    const attributes = attributesOf({ ...node, padding: pads }, [kh, kw]);
    lowering.emit('Conv', [dy, kernel], attributes, node.outputs[0]);
    return;
  }
  const [, , outHeight, outWidth] = imageShape(lowering.graph, dy);
  const [, , height, width] = asImage(node.inputShape);
  const missing = (size: number, out: number, axis: 0 | 1, kernel: number) =>
    size - ((out - 1) * node.stride[axis] - 2 * node.padding[axis] + node.dilation[axis] * (kernel - 1) + 1);
  const outputPadding = [missing(height, outHeight, 0, kh), missing(width, outWidth, 1, kw)];
  const attributes = { ...attributesOf(node, [kh, kw]), output_padding: outputPadding };
  lowering.emit('ConvTranspose', [dy, weight], attributes, node.outputs[0]);
}

function flip(lowering: Lowering, weight: string, kh: number, kw: number): string {
  if (kh === 1 && kw === 1) return weight;
  const { integers } = lowering;
  const beforeStart = -(2 ** 31);
  return lowering.emit('Slice', [
    weight,
    integers([-1, -1]),
    integers([beforeStart, beforeStart]),
    integers([2, 3]),
    integers([-1, -1]),
  ]);
}

/**
 * dw of a convolution, in the form that suits its shape (figures in bench/NOTES.md):
 * few input channels: one convolution of the transposed tensors; a 1x1 kernel on a large map: a product for each image,
 * summed; otherwise one product for each kernel tap over all images at once, with the channels last.
 */
export function lowerConvolutionWeightGradient(lowering: Lowering, node: NodeOf<'conv2dWeightGradient'>): void {
  const [x = ''] = node.inputs;
  const [, channels] = imageShape(lowering.graph, x);
  const [, , outHeight, outWidth] = imageShape(lowering.graph, node.inputs[1] ?? '');
  if (node.groups !== 1) throw new Error('the weight gradient of a grouped convolution is not implemented');
  if (channels <= 4) weightGradientByConvolution(lowering, node, x, node.inputs[1] ?? '', node.outputs[0]);
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
function isPointwise({ weightShape, stride, padding }: NodeOf<'conv2dWeightGradient'>): boolean {
  const [, , kh, kw] = asImage(weightShape);
  return kh === 1 && kw === 1 && stride[0] === 1 && stride[1] === 1 && padding[0] === 0 && padding[1] === 0;
}

/** One convolution of the transposed tensors, stride and dilation exchanged; `x` and `dy` are plain `[N, C, H, W]`. */
export function weightGradientByConvolution(
  lowering: Lowering,
  node: NodeOf<'conv2dWeightGradient'>,
  x: string,
  dy: string,
  output?: string,
): string {
  const [, , kh, kw] = asImage(node.weightShape);
  const [, , outHeight, outWidth] = imageShape(lowering.graph, node.inputs[1] ?? '');
  const swap = { perm: [1, 0, 2, 3] };
  const images = lowering.emit('Transpose', [x], swap);
  const kernel = lowering.emit('Transpose', [dy], swap);
  const geometry = { stride: node.dilation, padding: node.padding, dilation: node.stride, groups: 1 };
  const wide = lowering.emit('Conv', [images, kernel], attributesOf(geometry, [outHeight, outWidth]));
  const { integers } = lowering;
  const taps = lowering.emit('Slice', [wide, integers([0, 0]), integers([kh, kw]), integers([2, 3])]);
  return lowering.emit('Transpose', [taps], swap, output);
}

/** One product an image, `[O, pixels] x [pixels, I]`, without a copy of either. */
function weightGradientByImage(lowering: Lowering, node: NodeOf<'conv2dWeightGradient'>): void {
  const { emit, integers } = lowering;
  const [x = '', dy = ''] = node.inputs;
  const [n, outputs, outHeight, outWidth] = imageShape(lowering.graph, dy);
  const [, inputs] = imageShape(lowering.graph, x);
  const pixels = outHeight * outWidth;
  const rows = emit('Reshape', [dy, integers([n, outputs, pixels])]);
  const columns = emit('Reshape', [x, integers([n, inputs, pixels])]);
  const products = emit('MatMul', [rows, emit('Transpose', [columns], { perm: [0, 2, 1] })]);
  const sum = emit('ReduceSum', [products, integers([0])], { keepdims: 0 });
  emit('Reshape', [sum, integers(node.weightShape)], {}, node.outputs[0]);
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
  node: NodeOf<'conv2dWeightGradient'>,
  channelsLast: string,
  dy: string,
  output?: string,
): string {
  const { emit, integers } = lowering;
  const [n, outputs, outHeight, outWidth] = imageShape(lowering.graph, node.inputs[1] ?? '');
  const [, inputs, kh, kw] = asImage(node.weightShape);
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
  if (taps.length === 1 && only !== undefined) return emit('Reshape', [only, integers(node.weightShape)], {}, output);
  const flat = taps.map((tap) => emit('Reshape', [tap, integers([1, outputs, inputs])]));
  const joined = emit('Transpose', [emit('Concat', flat, { axis: 0 })], { perm: [1, 2, 0] });
  return emit('Reshape', [joined, integers([outputs, inputs, kh, kw])], {}, output);
}

/** What each kernel tap sees of the channels-last input: `[N, outH, outW, I]` slices of it, padded, in scan order. */
function tapSlices(
  lowering: Lowering,
  node: NodeOf<'conv2dWeightGradient'>,
  x: string,
  out: readonly [number, number],
): string[] {
  if (isPointwise(node)) return [x];
  const { emit, integers } = lowering;
  const [, , kh, kw] = asImage(node.weightShape);
  const [padH, padW] = node.padding;
  const padded = padH + padW > 0 ? emit('Pad', [x, integers([0, padH, padW, 0, 0, padH, padW, 0])]) : x;
  return Array.from({ length: kh * kw }, (_, tap) => {
    const start = [Math.floor(tap / kw) * node.dilation[0], (tap % kw) * node.dilation[1]] as const;
    const end = start.map((value, axis) => value + ((out[axis] ?? 1) - 1) * (node.stride[axis] ?? 1) + 1);
    return emit('Slice', [padded, integers(start), integers(end), integers([1, 2]), integers(node.stride)]);
  });
}
