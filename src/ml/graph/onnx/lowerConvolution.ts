import { imageShape } from '../builder.ts';
import type { Convolution, NodeOf } from '../graph.ts';
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
 * few input channels: one convolution of the transposed tensors; large maps: a product per kernel tap and image, summed
 * over the images; small maps: one product per tap over all images at once.
 */
export function lowerConvolutionWeightGradient(lowering: Lowering, node: NodeOf<'conv2dWeightGradient'>): void {
  const [x = ''] = node.inputs;
  const [, channels] = imageShape(lowering.graph, x);
  const [, , outHeight, outWidth] = imageShape(lowering.graph, node.inputs[1] ?? '');
  if (node.groups !== 1) throw new Error('the weight gradient of a grouped convolution is not implemented');
  if (channels <= 4) weightGradientByConvolution(lowering, node);
  else if (outHeight * outWidth >= 400) weightGradientByImage(lowering, node);
  else weightGradientByTap(lowering, node);
}

function weightGradientByConvolution(lowering: Lowering, node: NodeOf<'conv2dWeightGradient'>): void {
  const [x = '', dy = ''] = node.inputs;
  const [, , kh, kw] = asImage(node.weightShape);
  const [, , outHeight, outWidth] = imageShape(lowering.graph, dy);
  const swap = { perm: [1, 0, 2, 3] };
  const images = lowering.emit('Transpose', [x], swap);
  const kernel = lowering.emit('Transpose', [dy], swap);
  const geometry = { stride: node.dilation, padding: node.padding, dilation: node.stride, groups: 1 };
  const wide = lowering.emit('Conv', [images, kernel], attributesOf(geometry, [outHeight, outWidth]));
  const { integers } = lowering;
  const taps = lowering.emit('Slice', [wide, integers([0, 0]), integers([kh, kw]), integers([2, 3])]);
  lowering.emit('Transpose', [taps], swap, node.outputs[0]);
}

/** The input that each kernel tap sees, as `[N, I, outH, outW]` slices of the padded input, in scan order. */
function tapSlices(
  lowering: Lowering,
  node: NodeOf<'conv2dWeightGradient'>,
  x: string,
  out: readonly [number, number],
): string[] {
  const { integers } = lowering;
  const [, , kh, kw] = asImage(node.weightShape);
  const [padH, padW] = node.padding;
  const whole = kh === 1 && kw === 1 && padH === 0 && padW === 0 && node.stride[0] === 1 && node.stride[1] === 1;
  if (whole) return [x];
  const padded = padH + padW > 0 ? lowering.emit('Pad', [x, integers([0, 0, padH, padW, 0, 0, padH, padW])]) : x;
  const slices: string[] = [];
  for (let tap = 0; tap < kh * kw; tap++) {
    const start = [Math.floor(tap / kw) * node.dilation[0], (tap % kw) * node.dilation[1]] as const;
    const end = start.map((value, axis) => value + ((out[axis] ?? 1) - 1) * (node.stride[axis] ?? 1) + 1);
    slices.push(
      lowering.emit('Slice', [padded, integers(start), integers(end), integers([2, 3]), integers(node.stride)]),
    );
  }
  return slices;
}

function weightGradientByImage(lowering: Lowering, node: NodeOf<'conv2dWeightGradient'>): void {
  const { integers } = lowering;
  const [x = '', dy = ''] = node.inputs;
  const [n, outputs, outHeight, outWidth] = imageShape(lowering.graph, dy);
  const [, inputs, kh, kw] = asImage(node.weightShape);
  const pixels = outHeight * outWidth;
  const rows = lowering.emit('Reshape', [dy, integers([n, outputs, pixels])]);
  const taps = tapSlices(lowering, node, x, [outHeight, outWidth]).map((slice) => {
    const columns = lowering.emit('Reshape', [slice, integers([n, inputs, pixels])]);
    const transposed = lowering.emit('Transpose', [columns], { perm: [0, 2, 1] });
    const products = lowering.emit('MatMul', [rows, transposed]);
    return lowering.emit('ReduceSum', [products, integers([0])], { keepdims: 0 });
  });
  joinTaps(lowering, taps, [outputs, inputs, kh, kw], true, node.outputs[0]);
}

function weightGradientByTap(lowering: Lowering, node: NodeOf<'conv2dWeightGradient'>): void {
  const { integers } = lowering;
  const [x = '', dy = ''] = node.inputs;
  const [n, outputs, outHeight, outWidth] = imageShape(lowering.graph, dy);
  const [, inputs, kh, kw] = asImage(node.weightShape);
  const pixels = n * outHeight * outWidth;
  const columns = lowering.emit('Reshape', [
    lowering.emit('Transpose', [dy], { perm: [0, 2, 3, 1] }),
    integers([pixels, outputs]),
  ]);
  const images = lowering.emit('Transpose', [x], { perm: [1, 0, 2, 3] });
  const taps = tapSlices(lowering, node, images, [outHeight, outWidth]).map((slice) =>
    lowering.emit('MatMul', [lowering.emit('Reshape', [slice, integers([inputs, pixels])]), columns]),
  );
  joinTaps(lowering, taps, [outputs, inputs, kh, kw], false, node.outputs[0]);
}

/** Joins one matrix a tap, `[O, I]` or `[I, O]`, to `[O, I, kh, kw]`. */
function joinTaps(
  lowering: Lowering,
  taps: readonly string[],
  shape: Image,
  outputsFirst: boolean,
  output: string | undefined,
): void {
  const { integers } = lowering;
  const [outputs, inputs, kh, kw] = shape;
  const matrix = outputsFirst ? [outputs, inputs] : [inputs, outputs];
  const [only] = taps;
  if (taps.length === 1 && only !== undefined) {
    const ordered = outputsFirst ? only : lowering.emit('Transpose', [only], { perm: [1, 0] });
    lowering.emit('Reshape', [ordered, integers(shape)], {}, output);
    return;
  }
  const stacked = lowering.emit(
    'Concat',
    taps.map((tap) => lowering.emit('Reshape', [tap, integers([1, ...matrix])])),
    { axis: 0 },
  );
  const ordered = lowering.emit('Transpose', [stacked], { perm: outputsFirst ? [1, 2, 0] : [2, 1, 0] });
  lowering.emit('Reshape', [ordered, integers([outputs, inputs, kh, kw])], {}, output);
}
