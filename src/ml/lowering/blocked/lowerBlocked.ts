import { imageShape } from '../../graph/builder.ts';
import type { Node, NodeOf } from '../../graph/graph.ts';
import {
  blocked,
  blockedDomain,
  convolutionAttributes,
  exchangeBlocks,
  exchangedKernel,
  isBlocked,
  phasesOf,
  plain,
  type Phase,
} from './blockedLayout.ts';
import { isMaskedByPooling, lowerBlockedMaxPoolGradient } from './blockedMaxPoolGradient.ts';
import { lowerBlockedWeightGradient } from './blockedWeightGradient.ts';
import { channelMoments, type Moments } from '../channelMoments.ts';
import { cutChannels, cutFromLaterJoin } from './cutChannels.ts';
import { interleavePlanes } from './interleavePlanes.ts';
import { defersScale, withDeferredScale } from './deferredScale.ts';
import { shapeAfter, type Lowering } from '../lowering.ts';
import { coversEvenly } from '../lowerPooling.ts';
import { affine, noteNormalized, noteRectified, recomputedMask, withRecomputed } from './recompute.ts';

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
      withRecomputed(lowering, first, second, () => {
        lowerConvolutionWeightGradient(lowering, node);
      });
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
      withRecomputed(lowering, second, first, () => {
        lowerBlockedMaxPoolGradient(lowering, node);
      });
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
    case 'sliceChannels':
      if (!isBlocked(lowering, first)) return false;
      lowerSliceChannels(lowering, node);
      return true;
    case 'reshape': {
      if (!isBlocked(lowering, node.outputs[0] ?? '')) return false;
      const image = lowering.emit('Reshape', [first, lowering.integers(node.shape)]);
      lowering.emit('ReorderInput', [image], { domain: blockedDomain }, node.outputs[0]);
      return true;
    }
    case 'reluGradient':
      if (isMaskedByPooling(lowering, node)) {
        lowering.alias.set(node.outputs[0] ?? '', first);
        return true;
      }
      lowerAnyLayout(lowering, node);
      return lowerMaskedByNorm(lowering, node);
    case 'relu':
      noteRectified(lowering, node);
      lowerAnyLayout(lowering, node);
      return false;
    case 'add':
    case 'concat':
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
    if (!isBlocked(lowering, value)) continue;
    const image = blocked(lowering, value);
    if (image !== value) lowering.alias.set(value, image);
  }
}

/** A ReLU's gradient whose mask comes from what the batch norm before it took. False where there is none. */
function lowerMaskedByNorm(
  lowering: Lowering,
  { inputs: [dy = '', y = ''], outputs: [dx = ''] }: NodeOf<'reluGradient'>,
): boolean {
  const mask = recomputedMask(lowering, y, dy);
  if (mask === undefined) return false;
  lowering.emit('Mul', [dy, mask], {}, dx);
  lowering.overwrites.set(dx, mask);
  return true;
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

/**
 * Sum over all but the channels of the products of two images, `[C]`, without writing the products down: each image's
 * map is a depthwise convolution's kernel over the other's.
 */
function sumsOfProducts(lowering: Lowering, image: string, other: string, [n, c, h, w]: Shape): string {
  const { emit, integers } = lowering;
  const maps = emit('Reshape', [image, integers([1, n * c, h, w])]);
  const kernels = emit('Reshape', [other, integers([n * c, 1, h, w])]);
  const geometry = { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: n * c } as const;
  const attributes = { domain: blockedDomain, ...convolutionAttributes(geometry, [h, w]) };
  const rows = emit('Reshape', [emit('Conv', [maps, kernels], attributes), integers([n, c])]);
  return emit('ReduceSum', [rows, integers([0])], { keepdims: 0 });
}

function lowerConvolution(lowering: Lowering, node: NodeOf<'conv2d'>): void {
  const [x = '', weight = '', ...bias] = node.inputs;
  const [, , kh, kw] = imageShape(lowering.graph, weight);
  const image = isBlocked(lowering, x) ? blocked(lowering, x) : x;
  const attributes = { domain: blockedDomain, ...convolutionAttributes(node, [kh, kw]) };
  lowering.emit('Conv', [image, aligned(lowering, weight, image), ...bias], attributes, node.outputs[0]);
}

/**
 * Weights in memory that ONNX Runtime allocates: copied where they are fed, when the `image` is there. What comes from
 * JavaScript lies across cache lines, which takes a convolution up to a fifth longer.
 */
function aligned(lowering: Lowering, weight: string, image: string): string {
  const { constants, emit, floats, integers, typeOf } = lowering;
  if (constants.has(weight)) return weight;
  const row = emit('Reshape', [weight, shapeAfter(lowering, [-1], [image])]);
  return emit('Reshape', [emit('Mul', [row, floats([1])]), integers(typeOf(weight).shape)]);
}

function lowerConvolutionWeightGradient(lowering: Lowering, node: NodeOf<'conv2dWeightGradient'>): void {
  const { inputs, outputs, weightShape: shape } = node;
  const [, image = ''] = inputs;
  const [output = ''] = outputs;
  if (!lowering.factors.has(image)) {
    lowerBlockedWeightGradient(lowering, node);
    return;
  }
  const share = `${output} without factor`;
  lowerBlockedWeightGradient(lowering, { ...node, outputs: [share] });
  withDeferredScale(lowering, share, { image, shape, output });
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
  const factored = withDeferredScale(lowering, weight, { image: dy, shape: [outputs, inputs, kh, kw] });
  const exchanged = exchangeBlocks(lowering, factored);
  const convolve = (row: Phase, column: Phase, output?: string) => {
    const taps = row.taps.flatMap((r) => column.taps.map((c) => r * kw + c));
    const shape = [inputs, outputs, row.taps.length, column.taps.length] as const;
    const kernel = exchangedKernel(lowering, exchanged, taps, shape, kh * kw);
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
  const whole = interleavePlanes(lowering, planes, {
    images: (n * inputs) / block,
    phases: [sh, sw],
    plane: [planeHeight, planeWidth],
    size: [height, width],
  });
  emit('Reshape', [whole, integers(node.inputShape)], {}, node.outputs[0]);
}

function momentsOf(lowering: Lowering, image: string): Moments {
  const { emit, floats, integers } = lowering;
  const compute = (alone: string) => {
    const shape = imageShape(lowering.graph, alone);
    const [n, channels, h, w] = shape;
    const x = blocked(lowering, alone);
    const rows = emit('Reshape', [means(lowering, x), integers([n, channels])]);
    return {
      mean: emit('ReduceMean', [rows], { axes: [0], keepdims: 0 }),
      meanSquare: emit('Mul', [sumsOfProducts(lowering, x, x, shape), floats([1 / (n * h * w)])]),
    };
  };
  return channelMoments(lowering, image, (part) => isBlocked(lowering, part), compute);
}

function lowerBatchNormTraining(lowering: Lowering, node: NodeOf<'batchNormTraining'>): void {
  const { emit, floats } = lowering;
  const [input = '', weight = '', bias = ''] = node.inputs;
  const [y, meanName = '', inverseDeviation = '', unbiased] = node.outputs;
  const [n, channels, h, w] = imageShape(lowering.graph, input);
  const count = n * h * w;
  const { mean, meanSquare } = momentsOf(lowering, input);
  lowering.alias.set(meanName, mean);
  const variance = emit('Relu', [emit('Sub', [meanSquare, emit('Mul', [mean, mean])])]);
  emit('Reciprocal', [emit('Sqrt', [emit('Add', [variance, floats([node.epsilon])])])], {}, inverseDeviation);
  emit('Mul', [variance, floats([count > 1 ? count / (count - 1) : 1])], {}, unbiased);
  const a = emit('Mul', [weight, inverseDeviation]);
  const pass = { scale: a, shift: emit('Sub', [bias, emit('Mul', [mean, a])]) };
  affine(lowering, { x: blocked(lowering, input), ...pass, channels }, { output: y });
  noteNormalized(lowering, node, pass);
}

/** See the plain form, `lowerBatchNormTrainingGradient` of lowerBatchNorm.ts, for the formula. */
function lowerBatchNormTrainingGradient(lowering: Lowering, node: NodeOf<'batchNormTrainingGradient'>): void {
  const { emit, floats } = lowering;
  const [incoming = '', input = '', weight = '', mean = '', inverseDeviation = ''] = node.inputs;
  const [dx = '', dweight = '', dbias = ''] = node.outputs;
  const dy = blocked(lowering, incoming);
  const x = cutFromLaterJoin(lowering, input, dy) ?? blocked(lowering, input);
  const shape = imageShape(lowering.graph, input);
  const [n, channels, h, w] = shape;
  sums(lowering, dy, shape, dbias);
  const product = sumsOfProducts(lowering, dy, x, shape);
  emit('Mul', [emit('Sub', [product, emit('Mul', [mean, dbias])]), inverseDeviation], {}, dweight);
  const a = emit('Mul', [weight, inverseDeviation]);
  const ofMean = floats([-1 / (n * h * w)]);
  const coefficients = (share: string) => {
    const b = emit('Mul', [share, emit('Mul', [dweight, inverseDeviation])]);
    return { b, c: emit('Sub', [emit('Mul', [share, dbias]), emit('Mul', [b, mean])]) };
  };
  if (defersScale(lowering, node)) {
    const { b, c } = coefficients(ofMean);
    affine(lowering, { x, scale: b, shift: c, channels }, { other: dy, output: dx });
    lowering.factors.set(dx, a);
    return;
  }
  const { b, c } = coefficients(emit('Mul', [a, ofMean]));
  const zeros = floats(new Array<number>(channels).fill(0), [channels]);
  const other = affine(lowering, { x: dy, scale: a, shift: c, channels });
  affine(lowering, { x, scale: b, shift: zeros, channels }, { other, output: dx });
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
  const channels = imageShape(lowering.graph, x)[1];
  affine(lowering, { x: blocked(lowering, x), scale: a, shift: b, channels }, { output: node.outputs[0] });
}

function lowerBatchNormInferenceGradient(lowering: Lowering, node: NodeOf<'batchNormInferenceGradient'>): void {
  const { emit, floats } = lowering;
  const [incoming = '', input = '', weight = '', mean = '', variance = ''] = node.inputs;
  const [dx, dweight, dbias = ''] = node.outputs;
  const dy = blocked(lowering, incoming);
  const shape = imageShape(lowering.graph, input);
  const inverseDeviation = fixedAffine(lowering, node, variance);
  sums(lowering, dy, shape, dbias);
  const product = sumsOfProducts(lowering, dy, blocked(lowering, input), shape);
  emit('Mul', [emit('Sub', [product, emit('Mul', [mean, dbias])]), inverseDeviation], {}, dweight);
  const [, channels] = shape;
  const shift = floats(new Array<number>(channels).fill(0), [channels]);
  affine(lowering, { x: dy, scale: emit('Mul', [weight, inverseDeviation]), shift, channels }, { output: dx });
}

function lowerSliceChannels(
  lowering: Lowering,
  { inputs: [x = ''], start, end, outputs }: NodeOf<'sliceChannels'>,
): void {
  cutChannels(lowering, x, [start, end], { output: outputs[0] });
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
