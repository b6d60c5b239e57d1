import { imageShape } from '../graph/builder.ts';
import type { Convolution, Node, NodeOf, Pair } from '../graph/graph.ts';
import type { Lowering } from './lowering.ts';

/**
 * Appends a node's operators in float64 where ONNX Runtime's CPU has no kernel for the plain form's: convolutions become
 * matrix products of what their taps see. Returns false for all other nodes, which the plain lowering serves. Slow, and
 * meant for checks: with it a step shows what float32's rounding did to the same step.
 */
export function lowerDoubleNode(lowering: Lowering, node: Node): boolean {
  switch (node.op) {
    case 'conv2d':
      lowerConvolution(lowering, node);
      return true;
    case 'conv2dInputGradient':
      lowerConvolutionInputGradient(lowering, node);
      return true;
    case 'conv2dWeightGradient':
      lowerConvolutionWeightGradient(lowering, node);
      return true;
    case 'averagePool':
      lowerAveragePool(lowering, node);
      return true;
    case 'globalAveragePool':
      lowering.emit('ReduceMean', node.inputs, { axes: [2, 3], keepdims: 0 }, node.outputs[0]);
      return true;
    case 'reluGradient': {
      const [dy = '', y = ''] = node.inputs;
      const positive = lowering.emit('Greater', [y, lowering.floats([0])]);
      lowering.emit('Mul', [dy, lowering.emit('Cast', [positive], { to: lowering.floatType })], {}, node.outputs[0]);
      return true;
    }
    default:
      return false;
  }
}

interface Window {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  /** Size of the map of what each tap sees. */
  readonly out: Pair;
}

/** What each tap of a window sees of a padded image `[N, C, H, W]`: in scan order, `[N, C, out pixels]`. */
function tapViews(lowering: Lowering, image: string, [n, channels]: Pair, window: Window): string[] {
  const { emit, integers } = lowering;
  const { kernel, stride, dilation, out } = window;
  return Array.from({ length: kernel[0] * kernel[1] }, (_, tap) => {
    const start = [Math.floor(tap / kernel[1]) * dilation[0], (tap % kernel[1]) * dilation[1]] as const;
    const end = [start[0] + (out[0] - 1) * stride[0] + 1, start[1] + (out[1] - 1) * stride[1] + 1];
    const view = emit('Slice', [image, integers(start), integers(end), integers([2, 3]), integers(stride)]);
    return emit('Reshape', [view, integers([n, channels, out[0] * out[1]])]);
  });
}

/** The image with zeros around it; negative numbers cut it. */
function pad(lowering: Lowering, image: string, before: Pair, after: Pair): string {
  if ([...before, ...after].every((size) => size === 0)) return image;
  return lowering.emit('Pad', [image, lowering.integers([0, 0, ...before, 0, 0, ...after])]);
}

/** What all taps see, one under the other: `[N, taps * C, out pixels]`. */
function columnsOf(
  lowering: Lowering,
  x: string,
  kernel: Pair,
  { stride, padding, dilation, groups }: Convolution,
  out: Pair,
): string {
  if (groups !== 1) throw new Error('grouped convolutions are not implemented in float64');
  const [n, channels] = imageShape(lowering.graph, x);
  const window = { kernel, stride, dilation, out };
  const views = tapViews(lowering, pad(lowering, x, padding, padding), [n, channels], window);
  return lowering.emit('Concat', views, { axis: 1 });
}

function lowerConvolution(lowering: Lowering, node: NodeOf<'conv2d'>): void {
  const { emit, integers } = lowering;
  const [x = '', weight = '', bias] = node.inputs;
  const [outputs, inputs, kh, kw] = imageShape(lowering.graph, weight);
  const shape = imageShape(lowering.graph, node.outputs[0] ?? '');
  const columns = columnsOf(lowering, x, [kh, kw], node, [shape[2], shape[3]]);
  const tapsFirst = emit('Transpose', [weight], { perm: [0, 2, 3, 1] });
  const rows = emit('Reshape', [tapsFirst, integers([outputs, kh * kw * inputs])]);
  const product = emit('MatMul', [rows, columns]);
  if (bias === undefined) {
    emit('Reshape', [product, integers(shape)], {}, node.outputs[0]);
    return;
  }
  const shift = emit('Reshape', [bias, integers([1, outputs, 1, 1])]);
  emit('Add', [emit('Reshape', [product, integers(shape)]), shift], {}, node.outputs[0]);
}

/** dx: the flipped kernel over dy, whose pixels lie `stride` apart in a map of zeros. */
function lowerConvolutionInputGradient(lowering: Lowering, node: NodeOf<'conv2dInputGradient'>): void {
  const { emit, integers } = lowering;
  const [weight = '', dy = ''] = node.inputs;
  const { stride, padding, dilation } = node;
  const [outputs, inputs, kh, kw] = imageShape(lowering.graph, weight);
  const [n, , outHeight, outWidth] = imageShape(lowering.graph, dy);
  const [, , height = 1, width = 1] = node.inputShape;
  const reach = [dilation[0] * (kh - 1), dilation[1] * (kw - 1)] as const;
  const before = [reach[0] - padding[0], reach[1] - padding[1]] as const;
  const after = [
    height + reach[0] - before[0] - outHeight * stride[0],
    width + reach[1] - before[1] - outWidth * stride[1],
  ] as const;
  const cells = emit('Reshape', [dy, integers([n, outputs, outHeight, 1, outWidth, 1])]);
  const spread = emit('Pad', [cells, integers([0, 0, 0, 0, 0, 0, 0, 0, 0, stride[0] - 1, 0, stride[1] - 1])]);
  const map = emit('Reshape', [spread, integers([n, outputs, outHeight * stride[0], outWidth * stride[1]])]);
  const window = { kernel: [kh, kw], stride: [1, 1], dilation, out: [height, width] } as const;
  const views = tapViews(lowering, pad(lowering, map, before, after), [n, outputs], window);
  const columns = emit('Concat', views.reverse(), { axis: 1 });
  const inputsFirst = emit('Transpose', [weight], { perm: [1, 2, 3, 0] });
  const rows = emit('Reshape', [inputsFirst, integers([inputs, kh * kw * outputs])]);
  emit('Reshape', [emit('MatMul', [rows, columns]), integers(node.inputShape)], {}, node.outputs[0]);
}

function lowerConvolutionWeightGradient(lowering: Lowering, node: NodeOf<'conv2dWeightGradient'>): void {
  const { emit, integers } = lowering;
  const [x = '', dy = ''] = node.inputs;
  const [outputs = 1, inputs = 1, kh = 1, kw = 1] = node.weightShape;
  const [n, , outHeight, outWidth] = imageShape(lowering.graph, dy);
  const columns = columnsOf(lowering, x, [kh, kw], node, [outHeight, outWidth]);
  const rows = emit('Reshape', [dy, integers([n, outputs, outHeight * outWidth])]);
  const products = emit('MatMul', [rows, emit('Transpose', [columns], { perm: [0, 2, 1] })]);
  const sum = emit('ReduceSum', [products, integers([0])], { keepdims: 0 });
  const tapsFirst = emit('Reshape', [sum, integers([outputs, kh, kw, inputs])]);
  emit('Transpose', [tapsFirst], { perm: [0, 3, 1, 2] }, node.outputs[0]);
}

function lowerAveragePool(lowering: Lowering, node: NodeOf<'averagePool'>): void {
  const { emit, floats, integers } = lowering;
  if (node.ceilMode) throw new Error('average pooling in ceil mode is not implemented in float64');
  const [x = ''] = node.inputs;
  const { kernel, stride, padding } = node;
  const [n, channels, height, width] = imageShape(lowering.graph, node.outputs[0] ?? '');
  const window = { kernel, stride, dilation: [1, 1], out: [height, width] } as const;
  const views = tapViews(lowering, pad(lowering, x, padding, padding), [n, channels], window);
  const mean = emit('Mul', [emit('Sum', views), floats([1 / views.length])]);
  emit('Reshape', [mean, integers([n, channels, height, width])], {}, node.outputs[0]);
}
