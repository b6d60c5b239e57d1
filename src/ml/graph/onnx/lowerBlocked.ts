import { imageShape } from '../builder.ts';
import type { Node, NodeOf } from '../graph.ts';
import {
  blocked,
  blockedDomain,
  blockedWeights,
  channelsLast,
  convolutionAttributes,
  exchangedWeights,
  isBlocked,
  phasesOf,
  pickTaps,
  plain,
  type Phase,
} from './blockedLayout.ts';
import { weightGradientByConvolution, weightGradientByTap } from './lowerConvolution.ts';
import type { Lowering } from './lowering.ts';
import { coversEvenly, maxPoolGradientOfPlanes, type Planes } from './lowerPooling.ts';

/**
 * Appends a node's operators in blocked form. Returns false for nodes that have no images in blocks, and for those
 * that do not care about the layout: the plain lowering serves them.
 */
export function lowerBlockedNode(lowering: Lowering, node: Node): boolean {
  const image = node.op === 'conv2d' ? node.outputs[0] : node.op === 'conv2dInputGradient' ? node.inputs[1] : undefined;
  const [first = '', second = ''] = node.inputs;
  switch (node.op) {
    case 'conv2d':
      if (image === undefined || !isBlocked(lowering, image)) return false;
      lowerConvolution(lowering, node);
      return true;
    case 'conv2dInputGradient':
      if (image === undefined || !isBlocked(lowering, image)) return false;
      lowerConvolutionInputGradient(lowering, node);
      return true;
    case 'conv2dWeightGradient':
      if (!isBlocked(lowering, second)) return false;
      lowerConvolutionWeightGradient(lowering, node);
      return true;
    case 'batchNormTraining':
      if (!isBlocked(lowering, first)) return false;
      lowerBatchNormTraining(lowering, node);
      return true;
    case 'batchNormTrainingGradient':
      if (!isBlocked(lowering, first)) return false;
      lowerBatchNormTrainingGradient(lowering, node);
      return true;
    case 'batchNormInference':
      if (!isBlocked(lowering, first)) return false;
      lowerBatchNormInference(lowering, node);
      return true;
    case 'batchNormInferenceGradient':
      if (!isBlocked(lowering, first)) return false;
      lowerBatchNormInferenceGradient(lowering, node);
      return true;
    case 'maxPool':
    case 'averagePool':
      if (!isBlocked(lowering, first)) return false;
      lowerPool(lowering, node);
      return true;
    case 'maxPoolGradient':
      if (!isBlocked(lowering, first)) return false;
      lowerMaxPoolGradient(lowering, node);
      return true;
    case 'averagePoolGradient':
      if (!isBlocked(lowering, first)) return false;
      lowerAveragePoolGradient(lowering, node);
      return true;
    case 'globalAveragePool':
      if (!isBlocked(lowering, first)) return false;
      lowering.emit('Flatten', [means(lowering, blocked(lowering, first))], { axis: 1 }, node.outputs[0]);
      return true;
    case 'globalAveragePoolGradient':
      if (!isBlocked(lowering, node.outputs[0] ?? '')) return false;
      lowerGlobalAveragePoolGradient(lowering, node);
      return true;
    case 'sumPerChannel':
      if (!isBlocked(lowering, first)) return false;
      sums(lowering, blocked(lowering, first), imageShape(lowering.graph, first), node.outputs[0]);
      return true;
    case 'flatten':
      if (!isBlocked(lowering, first)) return false;
      lowering.emit('Flatten', [plain(lowering, first)], { axis: 1 }, node.outputs[0]);
      return true;
    case 'reshape': {
      if (!isBlocked(lowering, node.outputs[0] ?? '')) return false;
      const image = lowering.emit('Reshape', [first, lowering.integers(node.shape)]);
      lowering.emit('ReorderInput', [image], { domain: blockedDomain }, node.outputs[0]);
      return true;
    }
    case 'relu':
    case 'add':
    case 'concat':
    case 'sliceChannels':
    case 'reluGradient':
    case 'dropout':
      lowerAnyLayout(lowering, node);
      return false;
    default:
      return false;
  }
}

/** Inputs of the graph that such operators read must be blocked first; the lowering knows them by their new name. */
function lowerAnyLayout(lowering: Lowering, node: Node): void {
  for (const value of node.inputs) {
    if (isBlocked(lowering, value)) lowering.alias.set(value, blocked(lowering, value));
  }
}

type Shape = readonly [number, number, number, number];

/** Mean of each image's channels, `[N, C, 1, 1]`. */
function means(lowering: Lowering, image: string): string {
  return lowering.emit('GlobalAveragePool', [image], { domain: blockedDomain });
}

/** Sum over all but the channels, `[C]`. */
function sums(lowering: Lowering, image: string, [n, c, h, w]: Shape, output?: string): string {
  const { emit, floats, integers } = lowering;
  const rows = emit('Reshape', [means(lowering, image), integers([n, c])]);
  const sum = emit('ReduceSum', [rows, integers([0])], { keepdims: 0 });
  return emit('Mul', [sum, floats([h * w])], {}, output);
}

/** Per-channel `a * x + b (+ other)` in one pass: a depthwise convolution of one pixel. */
function affine(
  lowering: Lowering,
  x: string,
  a: string,
  b: string,
  channels: number,
  output?: string,
  other?: string,
): string {
  const { emit, integers } = lowering;
  const weight = emit('Reshape', [a, integers([channels, 1, 1, 1])]);
  const geometry = { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: channels } as const;
  const attributes = { domain: blockedDomain, ...convolutionAttributes(geometry, [1, 1]) };
  return emit('Conv', other === undefined ? [x, weight, b] : [x, weight, b, other], attributes, output);
}

function lowerConvolution(lowering: Lowering, node: NodeOf<'conv2d'>): void {
  const [x = '', weight = '', ...bias] = node.inputs;
  const [, , kh, kw] = imageShape(lowering.graph, weight);
  const image = isBlocked(lowering, x) ? blocked(lowering, x) : x;
  const attributes = { domain: blockedDomain, ...convolutionAttributes(node, [kh, kw]) };
  lowering.emit('Conv', [image, blockedWeights(lowering, weight), ...bias], attributes, node.outputs[0]);
}

/**
 * dx of a convolution: for every stride phase of the input a convolution of dy with the flipped taps that reach it;
 * stride 1 has one phase and all taps.
 */
function lowerConvolutionInputGradient(lowering: Lowering, node: NodeOf<'conv2dInputGradient'>): void {
  const { emit, integers, block } = lowering;
  const [weight = '', dy = ''] = node.inputs;
  const [outputs, inputs, kh, kw] = imageShape(lowering.graph, weight);
  const [n, , outHeight, outWidth] = imageShape(lowering.graph, dy);
  const [, , height = 1, width = 1] = node.inputShape;
  const [sh, sw] = node.stride;
  const rows = phasesOf(height, outHeight, kh, sh, node.padding[0]);
  const columns = phasesOf(width, outWidth, kw, sw, node.padding[1]);
  const exchanged = exchangedWeights(lowering, weight);
  const convolve = (row: Phase, column: Phase, output?: string) => {
    const taps = row.taps.flatMap((r) => column.taps.map((c) => r * kw + c));
    const kernel = pickTaps(lowering, exchanged, taps, [inputs, outputs, row.taps.length, column.taps.length]);
    const attributes = {
      domain: blockedDomain,
      kernel_shape: [row.taps.length, column.taps.length],
      strides: [1, 1],
      pads: [row.before, column.before, row.after, column.after],
      dilations: [1, 1],
      group: 1,
    };
    return emit('Conv', [blocked(lowering, dy), kernel], attributes, output);
  };
  const [onlyRow] = rows;
  const [onlyColumn] = columns;
  if (sh === 1 && sw === 1 && onlyRow && onlyColumn) {
    convolve(onlyRow, onlyColumn, node.outputs[0]);
    return;
  }
  const planeHeight = Math.ceil(height / sh);
  const planeWidth = Math.ceil(width / sw);
  const planes = new Map<string, string>();
  rows.forEach((row, r) => {
    columns.forEach((column, c) => {
      if (row.taps.length === 0 || column.taps.length === 0) return;
      const pixels = emit('Reshape', [
        convolve(row, column),
        integers([(n * inputs) / block, row.size, column.size, block]),
      ]);
      const missing = [0, 0, 0, 0, 0, planeHeight - row.size, planeWidth - column.size, 0];
      planes.set(`${r},${c}`, missing.some((size) => size > 0) ? emit('Pad', [pixels, integers(missing)]) : pixels);
    });
  });
  const whole = interleave(lowering, planes, {
    images: (n * inputs) / block,
    phases: [sh, sw],
    plane: [planeHeight, planeWidth],
    size: [height, width],
  });
  emit('Reshape', [whole, integers(node.inputShape)], {}, node.outputs[0]);
}

/** Planes of stride phases, each `[images, h, w, B]`, back into one map, of which `size` from `start` is kept. */
function interleave(
  lowering: Lowering,
  planes: ReadonlyMap<string, string>,
  layout: {
    readonly images: number;
    readonly phases: readonly [number, number];
    readonly plane: readonly [number, number];
    readonly size: readonly [number, number];
  },
): string {
  const { emit, integers, block } = lowering;
  const { images, size } = layout;
  const [sh, sw] = layout.phases;
  const [h, w] = layout.plane;
  const cell = integers([images, h, 1, w, 1, block]);
  const only = planes.get('0,0');
  let joined: string;
  if (planes.size === 1 && only !== undefined) {
    joined = emit('Pad', [emit('Reshape', [only, cell]), integers([0, 0, 0, 0, 0, 0, 0, 0, sh - 1, 0, sw - 1, 0])]);
  } else {
    const zeros = () => emit('Expand', [lowering.floats([0]), cell]);
    const lines = Array.from({ length: sh }, (_, r) => {
      const cells = Array.from({ length: sw }, (_unused, c) => {
        const plane = planes.get(`${r},${c}`);
        return plane === undefined ? zeros() : emit('Reshape', [plane, cell]);
      });
      return emit('Concat', cells, { axis: 4 });
    });
    joined = emit('Concat', lines, { axis: 2 });
  }
  const whole = emit('Reshape', [joined, integers([images, h * sh, w * sw, block])]);
  if (size[0] === h * sh && size[1] === w * sw) return whole;
  return emit('Slice', [whole, integers([0, 0]), integers(size), integers([1, 2])]);
}

function lowerConvolutionWeightGradient(lowering: Lowering, node: NodeOf<'conv2dWeightGradient'>): void {
  const [x = '', dy = ''] = node.inputs;
  if (!isBlocked(lowering, x)) {
    weightGradientByConvolution(lowering, node, x, plain(lowering, dy));
    return;
  }
  const rows = plain(lowering, dy);
  weightGradientByTap(lowering, node, channelsLast(lowering, x), rows);
}

function lowerBatchNormTraining(lowering: Lowering, node: NodeOf<'batchNormTraining'>): void {
  const { emit, floats, integers } = lowering;
  const [input = '', weight = '', bias = ''] = node.inputs;
  const [y, mean = '', inverseDeviation = '', unbiased] = node.outputs;
  const x = blocked(lowering, input);
  const [n, channels, h, w] = imageShape(lowering.graph, input);
  const count = n * h * w;
  const meanOverBatch = (image: string, output?: string) =>
    emit(
      'ReduceMean',
      [emit('Reshape', [means(lowering, image), integers([n, channels])])],
      { axes: [0], keepdims: 0 },
      output,
    );
  meanOverBatch(x, mean);
  const meanSquare = meanOverBatch(emit('Mul', [x, x]));
  const variance = emit('Relu', [emit('Sub', [meanSquare, emit('Mul', [mean, mean])])]);
  emit('Reciprocal', [emit('Sqrt', [emit('Add', [variance, floats([node.epsilon])])])], {}, inverseDeviation);
  emit('Mul', [variance, floats([count > 1 ? count / (count - 1) : 1])], {}, unbiased);
  const a = emit('Mul', [weight, inverseDeviation]);
  affine(lowering, x, a, emit('Sub', [bias, emit('Mul', [mean, a])]), channels, y);
}

/** See the plain form, `lowerBatchNormTrainingGradient` of lowerBatchNorm.ts, for the formula. */
function lowerBatchNormTrainingGradient(lowering: Lowering, node: NodeOf<'batchNormTrainingGradient'>): void {
  const { emit, floats } = lowering;
  const [incoming = '', input = '', weight = '', mean = '', inverseDeviation = ''] = node.inputs;
  const [dx, dweight = '', dbias = ''] = node.outputs;
  const dy = blocked(lowering, incoming);
  const x = blocked(lowering, input);
  const shape = imageShape(lowering.graph, input);
  const [n, channels, h, w] = shape;
  sums(lowering, dy, shape, dbias);
  const product = sums(lowering, emit('Mul', [dy, x]), shape);
  emit('Mul', [emit('Sub', [product, emit('Mul', [mean, dbias])]), inverseDeviation], {}, dweight);
  const a = emit('Mul', [weight, inverseDeviation]);
  const share = emit('Mul', [a, floats([-1 / (n * h * w)])]);
  const b = emit('Mul', [share, emit('Mul', [dweight, inverseDeviation])]);
  const c = emit('Sub', [emit('Mul', [share, dbias]), emit('Mul', [b, mean])]);
  const zeros = floats(new Array<number>(channels).fill(0), [channels]);
  const scaled = affine(lowering, dy, a, c, channels);
  affine(lowering, x, b, zeros, channels, dx, scaled);
}

function fixedAffine(lowering: Lowering, node: { readonly epsilon: number }, variance: string): string {
  const { emit, floats } = lowering;
  return emit('Reciprocal', [emit('Sqrt', [emit('Add', [variance, floats([node.epsilon])])])]);
}

function lowerBatchNormInference(lowering: Lowering, node: NodeOf<'batchNormInference'>): void {
  const { emit } = lowering;
  const [x = '', weight = '', bias = '', mean = '', variance = ''] = node.inputs;
  const a = emit('Mul', [weight, fixedAffine(lowering, node, variance)]);
  const b = emit('Sub', [bias, emit('Mul', [mean, a])]);
  affine(lowering, blocked(lowering, x), a, b, imageShape(lowering.graph, x)[1], node.outputs[0]);
}

function lowerBatchNormInferenceGradient(lowering: Lowering, node: NodeOf<'batchNormInferenceGradient'>): void {
  const { emit, floats } = lowering;
  const [incoming = '', input = '', weight = '', mean = '', variance = ''] = node.inputs;
  const [dx, dweight, dbias = ''] = node.outputs;
  const dy = blocked(lowering, incoming);
  const shape = imageShape(lowering.graph, input);
  const inverseDeviation = fixedAffine(lowering, node, variance);
  sums(lowering, dy, shape, dbias);
  const product = sums(lowering, emit('Mul', [dy, blocked(lowering, input)]), shape);
  emit('Mul', [emit('Sub', [product, emit('Mul', [mean, dbias])]), inverseDeviation], {}, dweight);
  const zeros = floats(new Array<number>(shape[1]).fill(0), [shape[1]]);
  affine(lowering, dy, emit('Mul', [weight, inverseDeviation]), zeros, shape[1], dx);
}

function lowerPool(lowering: Lowering, node: NodeOf<'maxPool'> | NodeOf<'averagePool'>): void {
  const [x = ''] = node.inputs;
  const attributes = {
    domain: blockedDomain,
    kernel_shape: node.kernel,
    strides: node.stride,
    pads: [...node.padding, ...node.padding],
    ceil_mode: node.ceilMode ? 1 : 0,
    ...(node.op === 'averagePool' && { count_include_pad: 1 }),
  };
  lowering.emit(node.op === 'maxPool' ? 'MaxPool' : 'AveragePool', [blocked(lowering, x)], attributes, node.outputs[0]);
}

function lowerMaxPoolGradient(lowering: Lowering, node: NodeOf<'maxPoolGradient'>): void {
  const { emit, integers, block } = lowering;
  const [dy = '', x = '', y = ''] = node.inputs;
  const pixelsOf = (value: string) => {
    const [n, c, h, w] = imageShape(lowering.graph, value);
    return emit('Reshape', [blocked(lowering, value), integers([(n * c) / block, h, w, block])]);
  };
  const [n, channels, height, width] = imageShape(lowering.graph, x);
  const values = { dy: pixelsOf(dy), x: pixelsOf(x), y: pixelsOf(y) };
  const planes: Planes = maxPoolGradientOfPlanes(lowering, node, values, [1, 2]);
  const whole = interleave(lowering, planes.gradients, {
    images: (n * channels) / block,
    phases: node.stride,
    plane: planes.size,
    size: [height, width],
  });
  emit('Reshape', [whole, integers([n, channels, height, width])], {}, node.outputs[0]);
}

function lowerAveragePoolGradient(lowering: Lowering, node: NodeOf<'averagePoolGradient'>): void {
  const { emit, integers, block } = lowering;
  const [dy = ''] = node.inputs;
  const [n, channels, outHeight, outWidth] = imageShape(lowering.graph, dy);
  const [, , height = 1, width = 1] = node.inputShape;
  const [kh, kw] = node.kernel;
  if (!coversEvenly(node, outHeight, outWidth)) {
    throw new Error('the gradient of average pooling with overlapping, padded or cut windows is not implemented');
  }
  const images = (n * channels) / block;
  const shares = emit('Mul', [blocked(lowering, dy), lowering.floats([1 / (kh * kw)])]);
  const cells = emit('Reshape', [shares, integers([images, outHeight, 1, outWidth, 1, block])]);
  const spread = emit('Expand', [cells, integers([images, outHeight, kh, outWidth, kw, block])]);
  const whole = emit('Reshape', [spread, integers([images, outHeight * kh, outWidth * kw, block])]);
  const missing = [0, 0, 0, 0, 0, height - outHeight * kh, width - outWidth * kw, 0];
  const padded = missing.some((size) => size > 0) ? emit('Pad', [whole, integers(missing)]) : whole;
  emit('Reshape', [padded, integers(node.inputShape)], {}, node.outputs[0]);
}

function lowerGlobalAveragePoolGradient(lowering: Lowering, node: NodeOf<'globalAveragePoolGradient'>): void {
  const { emit, integers, block } = lowering;
  const [n = 1, channels = 1, height = 1, width = 1] = node.inputShape;
  const share = emit('Mul', [...node.inputs, lowering.floats([1 / (height * width)])]);
  const pixel = emit('Reshape', [share, integers([(n * channels) / block, 1, block])]);
  const spread = emit('Expand', [pixel, integers([(n * channels) / block, height * width, block])]);
  emit('Reshape', [spread, integers(node.inputShape)], {}, node.outputs[0]);
}
