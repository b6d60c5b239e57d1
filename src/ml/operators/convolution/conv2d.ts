import { append, imageShape, parameter, sizesOfImage } from '../../graph/builder.ts';
import { convolvedSize, type Convolution, type Pair } from '../../graph/geometry.ts';
import { floats, typeOf, type GraphBuilder, type Gradient, type Node } from '../../graph/graph.ts';
import { blocked, blockedDomain, blockedKernel } from '../../lowering/blocked/blockedLayout.ts';
import { convolutionAttributes } from '../../lowering/convolutionAttributes.ts';
import { shapeAfter, type Lowering } from '../../lowering/lowering.ts';
import { operator, type Doubles, type Run } from '../operator.ts';
import { biasGradient } from '../reduce/biasGradient.ts';
import { at, fillImage, sizesOf } from '../references.ts';
import { asImage } from '../tensorflow.ts';
import { conv2dInputGradient } from './conv2dInputGradient.ts';
import { conv2dWeightGradient } from './conv2dWeightGradient.ts';
import { imagesOfMaps, kernelsInBlocks, mapsInBlocks, reachesOverImages } from './depthwiseOverImages.ts';
import { columnsOf } from './doubleColumns.ts';
import { coloursOf, isDepthwise, productsOf } from './productsOf.ts';
import { convolve } from './tensorflowConvolution.ts';

/** image, weight `[O, I/groups, kH, kW]`, bias? `[O]` -> map */
export const conv2dOperator = operator<Convolution>('conv2d', {
  shape([image, weight], geometry) {
    const [n, channels, height, width] = sizesOfImage(image);
    const [outputs, perGroup, kh, kw] = sizesOfImage(weight);
    if (perGroup * geometry.groups !== channels || outputs % geometry.groups !== 0) {
      throw new Error(`a kernel of [${outputs}, ${perGroup}] in ${geometry.groups} groups over ${channels} channels`);
    }
    const size = [convolvedSize(height, kh, geometry, 0), convolvedSize(width, kw, geometry, 1)] as const;
    return [floats([n, outputs, ...size], 'image')];
  },
  gradient(builder, { inputs, attributes }, dy, needed) {
    const [x = '', weight = '', bias] = inputs;
    const gradients: Gradient[] = [];
    if (needed(weight)) {
      const weightShape = typeOf(builder, weight).shape;
      gradients.push([weight, append(builder, conv2dWeightGradient, { weightShape, ...attributes }, [x, dy])]);
    }
    if (bias !== undefined && needed(bias)) gradients.push([bias, append(builder, biasGradient, {}, [dy])]);
    if (needed(x)) {
      const inputShape = imageShape(builder, x);
      gradients.push([x, append(builder, conv2dInputGradient, { inputShape, ...attributes }, [weight, dy])]);
    }
    return gradients;
  },
  onnx(lowering, { inputs, attributes, outputs }) {
    const [x = '', weight = '', bias] = inputs;
    const { shape } = typeOf(lowering.graph, weight);
    const isTrained = bias === undefined && !lowering.constants.has(weight);
    if (isTrained && reachesOverImages(lowering, x, shape, attributes.groups)) {
      depthwiseOverImages(lowering, { x, weight, attributes, output: outputs[0] });
    } else lowering.emit('Conv', inputs, convolutionAttributes(attributes, kernelOf(lowering, weight)), outputs[0]);
  },
  blocked(lowering, { inputs, attributes, outputs }) {
    const [x = '', weight = '', ...bias] = inputs;
    const image = blocked(lowering, x);
    const geometry = { domain: blockedDomain, ...convolutionAttributes(attributes, kernelOf(lowering, weight)) };
    lowering.emit('Conv', [image, aligned(lowering, weight, image), ...bias], geometry, outputs[0]);
    return true;
  },
  suitsBlocks: hasBlockedForm,
  takesPlain: coloursOf,
  multiplications: ({ graph }, { inputs, outputs, attributes: { groups } }) =>
    productsOf(typeOf(graph, outputs[0] ?? '').shape, typeOf(graph, inputs[1] ?? '').shape, groups),
  double: lowerDouble,
  tensorflow(tf, input, { attributes, inputs }) {
    const y = convolve(tf, asImage(input(0)), asImage(input(1)), attributes);
    return inputs.length > 2 ? tf.add(y, input(2)) : y;
  },
  reference: convolveDoubles,
  samples: {
    'stride 2 and padding': {
      attributes: { stride: [2, 2], padding: [1, 1], dilation: [1, 1], groups: 1 },
      inputs: convolutionInputs([2, 4, 7, 6], [3, 4, 3, 3], true),
    },
    'a 1x1 kernel without bias': {
      attributes: { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 },
      inputs: convolutionInputs([2, 4, 7, 6], [3, 4, 1, 1]),
    },
    'two groups and different strides': {
      attributes: { stride: [2, 1], padding: [2, 1], dilation: [1, 1], groups: 2 },
      inputs: convolutionInputs([2, 4, 9, 8], [6, 2, 3, 2], true),
    },
    'two groups of stride 1': {
      attributes: { stride: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 2 },
      inputs: convolutionInputs([2, 6, 5, 4], [4, 3, 3, 3]),
    },
    'a depthwise kernel': {
      attributes: { stride: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 4 },
      inputs: convolutionInputs([2, 4, 6, 5], [4, 1, 3, 3], true),
    },
    'a depthwise 5x5 kernel of stride 2': {
      attributes: { stride: [2, 2], padding: [2, 2], dilation: [1, 1], groups: 4 },
      inputs: convolutionInputs([2, 4, 9, 8], [4, 1, 5, 5]),
    },
    'a depthwise kernel that makes two channels of each': {
      attributes: { stride: [2, 1], padding: [1, 1], dilation: [1, 1], groups: 3 },
      inputs: convolutionInputs([2, 3, 8, 5], [6, 1, 3, 3]),
    },
    'different dilations': {
      attributes: { stride: [1, 2], padding: [2, 1], dilation: [2, 3], groups: 1 },
      inputs: convolutionInputs([2, 4, 9, 8], [3, 4, 3, 2], true),
    },
    'a dilated depthwise kernel': {
      attributes: { stride: [1, 1], padding: [2, 2], dilation: [2, 2], groups: 4 },
      inputs: convolutionInputs([1, 4, 7, 6], [4, 1, 3, 3]),
    },
    'a stride that leaves the last pixels out': {
      attributes: { stride: [3, 3], padding: [0, 0], dilation: [1, 1], groups: 1 },
      inputs: convolutionInputs([2, 5, 7, 6], [4, 5, 2, 2]),
    },
    'a patch embedding': {
      attributes: { stride: [4, 4], padding: [0, 0], dilation: [1, 1], groups: 1 },
      inputs: convolutionInputs([2, 3, 8, 12], [6, 3, 4, 4], true),
    },
  },
});

function convolutionInputs(x: readonly number[], weight: readonly number[], bias = false) {
  const inputs = [
    { shape: x, axes: 'image' },
    { shape: weight, axes: 'kernel' },
  ] as const;
  return bias ? [...inputs, { shape: weight.slice(0, 1) }] : inputs;
}

/** Options of a convolution with torch's defaults. A number stands for both directions. */
export interface ConvolutionOptions {
  readonly channels: number;
  readonly kernel: number | Pair;
  readonly stride?: number | Pair;
  readonly padding?: number | Pair;
  readonly dilation?: number | Pair;
  /** As many as the image has channels make it depthwise. */
  readonly groups?: number;
  readonly bias?: boolean;
}

const pair = (value: number | Pair): Pair => (typeof value === 'number' ? [value, value] : value);

/** torch's Conv2d under the module name `name`: `[N, I, H, W]` -> `[N, channels, H', W']`. */
export function conv2d(builder: GraphBuilder, name: string, x: string, options: ConvolutionOptions): string {
  const { channels, kernel, stride = 1, padding = 0, dilation = 1, groups = 1, bias = true } = options;
  const [, inputs] = imageShape(builder, x);
  const weight = parameter(builder, `${name}.weight`, [channels, inputs / groups, ...pair(kernel)], 'kernel');
  const values = bias ? [x, weight, parameter(builder, `${name}.bias`, [channels])] : [x, weight];
  const geometry = { stride: pair(stride), padding: pair(padding), dilation: pair(dilation), groups };
  return append(builder, conv2dOperator, geometry, values);
}

/** Whether the groups are whole blocks, or single channels. */
function hasBlockedForm(
  { graph }: Pick<Lowering, 'graph'>,
  { inputs, attributes }: Node<Convolution>,
  block: number,
): boolean {
  const { shape } = typeOf(graph, inputs[1] ?? '');
  const [outputs = 1, perGroup = 1] = shape;
  const { groups } = attributes;
  if (groups === 1 || isDepthwise(shape, groups)) return true;
  return perGroup % block === 0 && (outputs / groups) % block === 0;
}

/** With weights that change, for which ONNX Runtime's optimizer does not do it. */
function depthwiseOverImages(
  lowering: Lowering,
  { x, weight, attributes, output }: { x: string; weight: string; attributes: Convolution; output: string | undefined },
): void {
  const [n, channels] = imageShape(lowering.graph, x);
  const { shape } = typeOf(lowering.graph, weight);
  const geometry = { ...attributes, groups: n * channels };
  const maps = lowering.emit('Conv', [mapsInBlocks(lowering, x), kernelsInBlocks(lowering, weight, shape, n)], {
    domain: blockedDomain,
    ...convolutionAttributes(geometry, kernelOf(lowering, weight)),
  });
  imagesOfMaps(lowering, maps, output);
}

function kernelOf({ graph }: Lowering, weight = ''): Pair {
  const [, , height, width] = imageShape(graph, weight);
  return [height, width];
}

/**
 * Weights in memory that ONNX Runtime allocates: copied if they are fed, when the `image` is there. What comes from
 * JavaScript lies across cache lines, which takes a convolution up to a fifth longer.
 */
function aligned(lowering: Lowering, weight: string, image: string): string {
  const { constants, emit, floats: constant, integers } = lowering;
  if (!lowering.kernels.has(weight)) return blockedKernel(lowering, weight);
  if (constants.has(weight)) return weight;
  const row = emit('Reshape', [weight, shapeAfter(lowering, [-1], [image])]);
  return emit('Reshape', [emit('Mul', [row, constant([1])]), integers(lowering.typeOf(weight).shape)]);
}

/** In float64, which ONNX Runtime's CPU has no convolution for: a matrix product of what the taps see. */
function lowerDouble(lowering: Lowering, { inputs, attributes, outputs }: Node<Convolution>): void {
  const { emit, integers } = lowering;
  const [x = '', weight = '', bias] = inputs;
  const [filters, perGroup, kh, kw] = imageShape(lowering.graph, weight);
  const shape = imageShape(lowering.graph, outputs[0] ?? '');
  const { groups } = attributes;
  const columns = columnsOf(lowering, x, [kh, kw], attributes, [shape[2], shape[3]]);
  const tapsFirst = emit('Transpose', [weight], { perm: [0, 2, 3, 1] });
  const rows = emit('Reshape', [tapsFirst, integers([groups, filters / groups, kh * kw * perGroup])]);
  const product = emit(
    'Reshape',
    [emit('MatMul', [rows, columns]), integers(shape)],
    {},
    bias === undefined ? outputs[0] : undefined,
  );
  if (bias === undefined) return;
  const shift = emit('Reshape', [bias, integers([1, filters, 1, 1])]);
  emit('Add', [product, shift], {}, outputs[0]);
}

function convolveDoubles(
  input: (index: number) => Doubles,
  { attributes, inputs, outputs }: Run<Convolution>,
): Doubles {
  const { stride, padding, dilation, groups } = attributes;
  const [x, weight, bias] = [input(0), input(1), inputs.length > 2 ? input(2) : undefined];
  const [, channels, rows, columns] = sizesOf(inputs[0]);
  const [, perGroup, height, width] = sizesOf(inputs[1]);
  const to = sizesOf(outputs[0]);
  return fillImage(to, (n, o, y, z) => {
    const group = Math.floor(o / (to[1] / groups));
    const [top, left] = [y * stride[0] - padding[0], z * stride[1] - padding[1]];
    let sum = bias?.[o] ?? 0;
    for (let i = 0; i < perGroup; i++) {
      const [image, taps] = [(n * channels + group * perGroup + i) * rows, (o * perGroup + i) * height];
      for (let u = 0; u < height; u++) {
        const row = top + u * dilation[0];
        if (row < 0 || row >= rows) continue;
        for (let v = 0; v < width; v++) {
          const column = left + v * dilation[1];
          if (column < 0 || column >= columns) continue;
          sum += at(weight, (taps + u) * width + v) * at(x, (image + row) * columns + column);
        }
      }
    }
    return sum;
  });
}
