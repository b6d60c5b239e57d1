import { append, imageShape } from '../../graph/builder.ts';
import type { Pair, Pooling } from '../../graph/geometry.ts';
import { floats, type GraphBuilder, type Node } from '../../graph/graph.ts';
import { blocked } from '../../lowering/blocked/blockedLayout.ts';
import { interleavePlanes } from '../../lowering/blocked/interleavePlanes.ts';
import type { Lowering } from '../../lowering/lowering.ts';
import { padZeros, tapViews } from '../convolution/doubleColumns.ts';
import { gradientBy, operator, shapeOf, trainingOperator } from '../operator.ts';
import { asImage } from '../tensorflow.ts';
import { interleavePlain, movedMap, tapPlace } from './maxPoolPlanes.ts';
import {
  lowerBlockedPool,
  poolDoubles,
  pooledType,
  poolingAttributes,
  poolingOf,
  type PoolingOptions,
} from './pooling.ts';
import { averagePool } from './tensorflowPooling.ts';

/**
 * x -> y; padding counts as zeros, as torch's `count_include_pad` default; what `ceilMode` adds behind it does not count.
 */
export const averagePoolOperator = operator<Pooling>('averagePool', {
  shape: pooledType,
  gradient: (builder, node, dy) => {
    const inputShape = shapeOf(builder, node.inputs[0] ?? '');
    return gradientBy(builder, node, averagePoolGradient, { ...node.attributes, inputShape }, [dy]);
  },
  onnx(lowering, { inputs, attributes, outputs }) {
    lowering.emit('AveragePool', inputs, { ...poolingAttributes(attributes), count_include_pad: 1 }, outputs[0]);
  },
  blocked(lowering, { inputs, attributes, outputs }) {
    const counting = { ...poolingAttributes(attributes), count_include_pad: 1 };
    lowerBlockedPool(lowering, 'AveragePool', inputs, counting, outputs[0]);
    return true;
  },
  // Its blocked kernel divides by the whole window where `ceilMode` cuts one off.
  suitsBlocks({ graph }, { inputs, attributes, outputs }) {
    const [, , height, width] = imageShape(graph, inputs[0] ?? '');
    const [, , outHeight, outWidth] = imageShape(graph, outputs[0] ?? '');
    return windowShares(attributes, [height, width], [outHeight, outWidth]) === undefined;
  },
  double: lowerDouble,
  tensorflow: (tf, input, { attributes }) => averagePool(tf, asImage(input(0)), attributes),
  reference: (input, run) =>
    poolDoubles(input(0), run, 0, (window) => window.reduce((sum, v) => sum + v, 0) / window.length),
  samples: {
    'windows side by side': sample([2, 4, 6, 8], { kernel: 2, stride: 2 }),
    'windows side by side over odd sizes': sample([1, 3, 7, 5], { kernel: 2, stride: 2 }),
    'overlapping windows with padding': sample([2, 4, 7, 6], { kernel: 3, stride: 2, padding: 1 }),
    'overlapping windows of stride 1': sample([1, 2, 5, 6], { kernel: 3, stride: 1, padding: 1 }),
    'ceil mode with padding': sample([2, 4, 8, 9], { kernel: 3, stride: 2, padding: 1, ceilMode: true }),
    'ceil mode': sample([1, 3, 6, 8], { kernel: 3, stride: 2, ceilMode: true }),
    'a stride larger than its window': sample([1, 3, 7, 8], { kernel: 2, stride: 3 }),
  },
});

function sample(shape: readonly number[], options: PoolingOptions) {
  return { attributes: poolingOf(options), inputs: [{ shape, axes: 'image' }] } as const;
}

/** torch's AvgPool2d: `[N, C, H, W]` -> `[N, C, H', W']`. */
export function averagePool2d(builder: GraphBuilder, x: string, options: PoolingOptions): string {
  return append(builder, averagePoolOperator, poolingOf(options), [x]);
}

interface AveragePoolGradient extends Pooling {
  readonly inputShape: readonly number[];
}

/** dy -> dx of shape `inputShape` */
export const averagePoolGradient = trainingOperator<AveragePoolGradient>('averagePoolGradient', {
  shape: (_, { inputShape }) => [floats(inputShape, 'image')],
  onnx(lowering, node) {
    if (coversEvenly(lowering, node)) lowerEven(lowering, node);
    else lowerTaps(lowering, node);
  },
  blocked(lowering, node) {
    if (coversEvenly(lowering, node)) lowerBlockedEven(lowering, node);
    else lowerBlockedTaps(lowering, node);
    return true;
  },
});

type GradientNode = Node<AveragePoolGradient>;

/** Whether windows lie side by side inside the image, none overlapping, in the padding or cut off at its end. */
function coversEvenly(lowering: Lowering, { inputs, attributes }: GradientNode): boolean {
  const [, , outHeight, outWidth] = imageShape(lowering.graph, inputs[0] ?? '');
  const { inputShape, kernel, stride, padding } = attributes;
  const [, , height = 1, width = 1] = inputShape;
  const sideBySide = stride[0] === kernel[0] && stride[1] === kernel[1] && padding[0] + padding[1] === 0;
  return sideBySide && outHeight * kernel[0] <= height && outWidth * kernel[1] <= width;
}

/** Windows side by side (DenseNet's): every pixel of a window gets an equal share. */
function lowerEven(lowering: Lowering, node: GradientNode): void {
  const { emit, integers } = lowering;
  const [dy = ''] = node.inputs;
  const [n, channels, outHeight, outWidth] = imageShape(lowering.graph, dy);
  const [, , height = 1, width = 1] = node.attributes.inputShape;
  const [kh, kw] = node.attributes.kernel;
  const shares = emit('Mul', [dy, lowering.floats([1 / (kh * kw)])]);
  const copied = emit('Expand', [
    emit('Reshape', [shares, integers([n, channels, outHeight, 1, outWidth, 1])]),
    integers([n, channels, outHeight, kh, outWidth, kw]),
  ]);
  const whole = emit('Reshape', [copied, integers([n, channels, outHeight * kh, outWidth * kw])]);
  const pads = integers([0, 0, 0, 0, 0, 0, height - outHeight * kh, width - outWidth * kw]);
  emit('Pad', [whole, pads], {}, node.outputs[0]);
}

function lowerBlockedEven(lowering: Lowering, node: GradientNode): void {
  const { emit, integers, block } = lowering;
  const [dy = ''] = node.inputs;
  const [n, channels, outHeight, outWidth] = imageShape(lowering.graph, dy);
  const { inputShape, kernel } = node.attributes;
  const [, , height = 1, width = 1] = inputShape;
  const [kh, kw] = kernel;
  const images = (n * channels) / block;
  const shares = emit('Mul', [blocked(lowering, dy), lowering.floats([1 / (kh * kw)])]);
  const cells = emit('Reshape', [shares, integers([images, outHeight, 1, outWidth, 1, block])]);
  const copied = emit('Expand', [cells, integers([images, outHeight, kh, outWidth, kw, block])]);
  const whole = emit('Reshape', [copied, integers([images, outHeight * kh, outWidth * kw, block])]);
  const missing = [0, 0, 0, 0, 0, height - outHeight * kh, width - outWidth * kw, 0];
  const padded = missing.some((size) => size > 0) ? emit('Pad', [whole, integers(missing)]) : whole;
  emit('Reshape', [padded, integers(inputShape)], {}, node.outputs[0]);
}

/** What each window's mean is divided by, `[out height * out width]`, or undefined if it is the whole window everywhere. */
function windowShares({ kernel, stride, padding, ceilMode }: Pooling, from: Pair, to: Pair): number[] | undefined {
  if (!ceilMode) return undefined;
  const counted = (axis: 0 | 1) =>
    Array.from({ length: to[axis] }, (_, index) =>
      Math.min(kernel[axis], from[axis] + 2 * padding[axis] - index * stride[axis]),
    );
  const shares = counted(0).flatMap((row) => counted(1).map((column) => 1 / (row * column)));
  return shares.every((share) => share === 1 / (kernel[0] * kernel[1])) ? undefined : shares;
}

/** dy times its windows' shares; `shape` is where the map's pixels lie. */
function sharesOf(
  lowering: Lowering,
  node: GradientNode,
  dy: string,
  shape: (pixels: Pair) => readonly number[],
): string {
  const [, , outHeight, outWidth] = imageShape(lowering.graph, node.inputs[0] ?? '');
  const { kernel, inputShape } = node.attributes;
  const [, , height = 1, width = 1] = inputShape;
  const shares = windowShares(node.attributes, [height, width], [outHeight, outWidth]);
  const constant = shares
    ? lowering.floats(shares, shape([outHeight, outWidth]))
    : lowering.floats([1 / (kernel[0] * kernel[1])]);
  return lowering.emit('Mul', [dy, constant]);
}

/** The sums of what the taps of all windows give to the planes of the stride phases; see maxPoolPlanes.ts. */
function planesOf(lowering: Lowering, node: GradientNode, shares: string, axes: Pair) {
  const { kernel, stride, padding, inputShape } = node.attributes;
  const [, , height = 1, width = 1] = inputShape;
  const [, , outHeight, outWidth] = imageShape(lowering.graph, node.inputs[0] ?? '');
  const size: Pair = [Math.ceil(height / stride[0]), Math.ceil(width / stride[1])];
  const gradients = new Map<string, string>();
  for (let tap = 0; tap < kernel[0] * kernel[1]; tap++) {
    const row = tapPlace(Math.floor(tap / kernel[1]), stride[0], padding[0]);
    const column = tapPlace(tap % kernel[1], stride[1], padding[1]);
    const move = { shift: [row.shift, column.shift], from: [outHeight, outWidth], to: size } as const;
    const placed = movedMap(lowering, shares, axes, move, lowering.floats([0]));
    const key = `${row.phase},${column.phase}`;
    const sum = gradients.get(key);
    gradients.set(key, sum === undefined ? placed : lowering.emit('Add', [sum, placed]));
  }
  return { gradients, size };
}

/** Any windows: each tap's share is moved to where the tap looks. */
function lowerTaps(lowering: Lowering, node: GradientNode): void {
  const shares = sharesOf(lowering, node, node.inputs[0] ?? '', ([height, width]) => [1, 1, height, width]);
  const { gradients, size } = planesOf(lowering, node, shares, [2, 3]);
  interleavePlain(lowering, node, gradients, size);
}

function lowerBlockedTaps(lowering: Lowering, node: GradientNode): void {
  const { emit, integers, block } = lowering;
  const [dy = ''] = node.inputs;
  const [n, channels, outHeight, outWidth] = imageShape(lowering.graph, dy);
  const { inputShape, stride } = node.attributes;
  const [, , height = 1, width = 1] = inputShape;
  const images = (n * channels) / block;
  const pixels = emit('Reshape', [blocked(lowering, dy), integers([images, outHeight, outWidth, block])]);
  const shares = sharesOf(lowering, node, pixels, ([rows, columns]) => [1, rows, columns, 1]);
  const { gradients, size } = planesOf(lowering, node, shares, [1, 2]);
  const whole = interleavePlanes(lowering, gradients, { images, phases: stride, plane: size, size: [height, width] });
  emit('Reshape', [whole, integers(inputShape)], {}, node.outputs[0]);
}

/** In float64, which ONNX Runtime's CPU has no average pooling for: the mean of what the taps see. */
function lowerDouble(lowering: Lowering, { inputs, attributes, outputs }: Node<Pooling>): void {
  const { emit, floats: constant, integers } = lowering;
  const [x = ''] = inputs;
  const { kernel, stride, padding } = attributes;
  const [, , fromHeight, fromWidth] = imageShape(lowering.graph, x);
  const [n, channels, height, width] = imageShape(lowering.graph, outputs[0] ?? '');
  const window = { kernel, stride, dilation: [1, 1], out: [height, width] } as const;
  const after = [0, 1].map((axis) => {
    const [from, to] = axis === 0 ? [fromHeight, height] : [fromWidth, width];
    const covered = (to - 1) * (stride[axis] ?? 1) + (kernel[axis] ?? 1);
    return Math.max(padding[axis] ?? 0, covered - from - (padding[axis] ?? 0));
  });
  const padded = padZeros(lowering, x, padding, [after[0] ?? 0, after[1] ?? 0]);
  const views = tapViews(lowering, padded, [n, channels, 1], window);
  const shares = windowShares(attributes, [fromHeight, fromWidth], [height, width]);
  const share = shares ? constant(shares, [1, 1, 1, height * width]) : constant([1 / views.length]);
  const mean = emit('Mul', [views.reduce((sum, view) => emit('Add', [sum, view])), share]);
  emit('Reshape', [mean, integers([n, channels, height, width])], {}, outputs[0]);
}
