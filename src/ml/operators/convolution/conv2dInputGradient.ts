import { imageShape } from '../../graph/builder.ts';
import type { Convolution, Pair } from '../../graph/geometry.ts';
import { floats, typeOf, type Node } from '../../graph/graph.ts';
import {
  blocked,
  blockedDomain,
  blockedKernel,
  exchangeBlocks,
  exchangedKernel,
  stridePhases,
  type StridePhase,
} from '../../lowering/blocked/blockedLayout.ts';
import { withDeferredScale } from '../../lowering/blocked/deferredScale.ts';
import { interleavePlanes } from '../../lowering/blocked/interleavePlanes.ts';
import { convolutionAttributes } from '../../lowering/convolutionAttributes.ts';
import type { Lowering } from '../../lowering/lowering.ts';
import { trainingOperator } from '../operator.ts';
import { imagesOfMaps, kernelsInBlocks, mapsInBlocks, reachesOverImages } from './depthwiseOverImages.ts';
import { padZeros, tapViews } from './doubleColumns.ts';
import { isDepthwise, productsOf } from './productsOf.ts';

export interface InputGradient extends Convolution {
  readonly inputShape: readonly number[];
}

/** weight, dy -> dx of shape `inputShape` */
export const conv2dInputGradient = trainingOperator<InputGradient>('conv2dInputGradient', {
  shape: (_, { inputShape }) => [floats(inputShape, 'image')],
  scalable: { image: ({ inputs }) => inputs[1] ?? '', weight: ({ inputs }) => inputs[0] ?? '' },
  onnx(lowering, node) {
    if (suitsOverImages(lowering, node)) lowerOverImages(lowering, node);
    else lowerPlain(lowering, node);
  },
  blocked(lowering, node) {
    lowerBlocked(lowering, node);
    return true;
  },
  suitsBlocks: hasBlockedForm,
  multiplications: ({ graph }, { inputs: [weight = '', dy = ''], attributes: { groups } }) =>
    productsOf(typeOf(graph, dy).shape, typeOf(graph, weight).shape, groups),
  double: lowerDouble,
});

type InputGradientNode = Node<InputGradient>;

/**
 * Stride 1: a convolution of dy with the kernel flipped and its channels exchanged, the fastest form that ONNX Runtime
 * has; otherwise ConvTranspose.
 */
function lowerPlain(lowering: Lowering, { inputs, attributes, outputs }: InputGradientNode): void {
  const [weight = '', dy = ''] = inputs;
  const { stride, padding, dilation, groups, inputShape } = attributes;
  const [, , kh, kw] = imageShape(lowering.graph, weight);
  const pads = [dilation[0] * (kh - 1) - padding[0], dilation[1] * (kw - 1) - padding[1]] as const;
  const direct = stride[0] === 1 && stride[1] === 1 && pads[0] >= 0 && pads[1] >= 0;
  if (direct) {
    const kernel = exchangeChannels(lowering, flip(lowering, weight, kh, kw), weight, groups);
    lowering.emit('Conv', [dy, kernel], convolutionAttributes({ ...attributes, padding: pads }, [kh, kw]), outputs[0]);
    return;
  }
  const [, , outHeight, outWidth] = imageShape(lowering.graph, dy);
  const [, , height = 1, width = 1] = inputShape;
  const missing = (size: number, out: number, axis: 0 | 1, kernel: number) =>
    size - ((out - 1) * stride[axis] - 2 * padding[axis] + dilation[axis] * (kernel - 1) + 1);
  const outputPadding = [missing(height, outHeight, 0, kh), missing(width, outWidth, 1, kw)];
  const geometry = { ...convolutionAttributes(attributes, [kh, kw]), output_padding: outputPadding };
  lowering.emit('ConvTranspose', [dy, weight], geometry, outputs[0]);
}

/** `[O, I/groups, kh, kw]` -> `[I, O/groups, kh, kw]` */
function exchangeChannels(lowering: Lowering, kernel: string, weight: string, groups: number): string {
  const { emit, integers } = lowering;
  const [outputs, perGroup, kh, kw] = imageShape(lowering.graph, weight);
  if (groups === 1) return emit('Transpose', [kernel], { perm: [1, 0, 2, 3] });
  if (perGroup === 1 && outputs === groups) return kernel;
  const split = emit('Reshape', [kernel, integers([groups, outputs / groups, perGroup, kh, kw])]);
  const exchanged = emit('Transpose', [split], { perm: [0, 2, 1, 3, 4] });
  return emit('Reshape', [exchanged, integers([groups * perGroup, outputs / groups, kh, kw])]);
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

/** Whether every stride phase is a convolution whose padding is not negative. */
function hasPhases({ graph }: Pick<Lowering, 'graph'>, { inputs, attributes }: InputGradientNode): boolean {
  const [weight = '', dy = ''] = inputs;
  const [, , kh, kw] = imageShape(graph, weight);
  const [, , outHeight, outWidth] = imageShape(graph, dy);
  const [, , height = 1, width = 1] = attributes.inputShape;
  const { stride, padding, dilation } = attributes;
  const phases = [
    ...stridePhases(height, outHeight, kh, stride[0], padding[0]),
    ...stridePhases(width, outWidth, kw, stride[1], padding[1]),
  ];
  const fits = phases.every(({ taps, before, after }) => taps.length === 0 || (before >= 0 && after >= 0));
  return fits && dilation[0] === 1 && dilation[1] === 1;
}

function hasBlockedForm(lowering: Pick<Lowering, 'graph'>, node: InputGradientNode, block: number): boolean {
  const { groups, inputShape } = node.attributes;
  const { shape } = typeOf(lowering.graph, node.inputs[0] ?? '');
  return (
    (groups === 1 || isDepthwise(shape, groups)) && (inputShape[1] ?? 1) % block === 0 && hasPhases(lowering, node)
  );
}

function suitsOverImages(lowering: Lowering, node: InputGradientNode): boolean {
  const [weight = '', dy = ''] = node.inputs;
  const { shape } = typeOf(lowering.graph, weight);
  return reachesOverImages(lowering, dy, shape, node.attributes.groups) && hasPhases(lowering, node);
}

/** Depthwise on plain images whose channels are no whole blocks: depthwiseOverImages.ts. */
function lowerOverImages(lowering: Lowering, node: InputGradientNode): void {
  const [weight = '', dy = ''] = node.inputs;
  const { shape } = typeOf(lowering.graph, weight);
  const [n, channels] = imageShape(lowering.graph, dy);
  const [, , kh = 1, kw = 1] = shape;
  const kernels = kernelsInBlocks(lowering, weight, shape, n);
  const maps = inputOfPhases(lowering, node, {
    dy: mapsInBlocks(lowering, dy),
    kernelOf: ownKernels(lowering, kernels, n * channels, kh * kw),
    groups: n * channels,
  });
  imagesOfMaps(lowering, maps, node.outputs[0]);
}

function lowerBlocked(lowering: Lowering, node: InputGradientNode): void {
  const [weight = '', dy = ''] = node.inputs;
  const { groups, inputShape } = node.attributes;
  const [outputs, perGroup, kh, kw] = imageShape(lowering.graph, weight);
  const [, inputs = 1] = inputShape;
  const shape = [outputs, perGroup, kh, kw];
  const scaled = withDeferredScale(lowering, blockedKernel(lowering, weight), { image: dy, shape });
  const kernelOf =
    groups === 1
      ? exchangedKernels(lowering, scaled, [inputs, outputs], kh * kw)
      : ownKernels(lowering, scaled, inputs, kh * kw);
  inputOfPhases(lowering, node, { dy: blocked(lowering, dy), kernelOf, groups, output: node.outputs[0] });
}

interface Phases {
  /** In blocks. */
  readonly dy: string;
  readonly kernelOf: KernelOf;
  readonly groups: number;
  readonly output?: string | undefined;
}

/**
 * For every stride phase of the input a convolution of dy with the flipped taps that reach it; stride 1 has one phase
 * and all taps. The result is in blocks.
 */
function inputOfPhases(lowering: Lowering, node: InputGradientNode, { dy, kernelOf, groups, output }: Phases): string {
  const { emit, integers, block } = lowering;
  const { stride, padding, inputShape } = node.attributes;
  const [, , kh, kw] = imageShape(lowering.graph, node.inputs[0] ?? '');
  const [, , outHeight, outWidth] = imageShape(lowering.graph, node.inputs[1] ?? '');
  const [n = 1, channels = 1, height = 1, width = 1] = inputShape;
  const [sh, sw] = stride;
  const rows = stridePhases(height, outHeight, kh, sh, padding[0]);
  const columns = stridePhases(width, outWidth, kw, sw, padding[1]);
  const convolve = (row: StridePhase, column: StridePhase, name?: string) => {
    const taps = row.taps.flatMap((r) => column.taps.map((c) => r * kw + c));
    const kernel = kernelOf(taps, [row.taps.length, column.taps.length]);
    const attributes = {
      domain: blockedDomain,
      kernel_shape: [row.taps.length, column.taps.length],
      strides: [1, 1],
      pads: [row.before, column.before, row.after, column.after],
      dilations: [1, 1],
      group: groups,
    };
    return emit('Conv', [dy, kernel], attributes, name);
  };
  const [onlyRow] = rows;
  const [onlyColumn] = columns;
  if (sh === 1 && sw === 1 && onlyRow && onlyColumn) return convolve(onlyRow, onlyColumn, output);
  const plane: Pair = [Math.ceil(height / sh), Math.ceil(width / sw)];
  const images = (n * channels) / block;
  const planes = new Map<string, string>();
  rows.forEach((row, r) => {
    columns.forEach((column, c) => {
      if (row.taps.length === 0 || column.taps.length === 0) return;
      const pixels = emit('Reshape', [convolve(row, column), integers([images, row.size, column.size, block])]);
      const missing = [0, 0, 0, 0, 0, plane[0] - row.size, plane[1] - column.size, 0];
      planes.set(`${r},${c}`, missing.some((size) => size > 0) ? emit('Pad', [pixels, integers(missing)]) : pixels);
    });
  });
  const whole = interleavePlanes(lowering, planes, { images, phases: stride, plane, size: [height, width] });
  // What `imagesOfMaps` goes on with are the maps of one image.
  const shape = groups > channels ? [1, groups, height, width] : inputShape;
  return emit('Reshape', [whole, integers(shape)], {}, output);
}

/** Makes a kernel of some taps, in the scan order of the new kernel's size. */
type KernelOf = (taps: readonly number[], size: Pair) => string;

/** Kernels that go from a convolution's outputs back to its inputs. */
function exchangedKernels(lowering: Lowering, weight: string, [inputs, outputs]: Pair, tapCount: number): KernelOf {
  const exchanged = exchangeBlocks(lowering, weight);
  return (taps, [kh, kw]) => exchangedKernel(lowering, exchanged, taps, [inputs, outputs, kh, kw], tapCount);
}

/** Kernels of single channels, `[C/B, taps, B]`. */
function ownKernels(lowering: Lowering, weight: string, channels: number, tapCount: number): KernelOf {
  const { emit, integers, block } = lowering;
  const split = emit('Reshape', [weight, integers([channels / block, tapCount, block])]);
  return (taps, [kh, kw]) =>
    emit('Reshape', [emit('Gather', [split, integers(taps)], { axis: 1 }), integers([channels, 1, kh, kw])]);
}

/** In float64: the flipped kernel over dy, whose pixels lie `stride` apart in a map of zeros. */
function lowerDouble(lowering: Lowering, node: InputGradientNode): void {
  const { emit, integers } = lowering;
  const [weight = '', dy = ''] = node.inputs;
  const { stride, padding, dilation, groups, inputShape } = node.attributes;
  const [outputs, perGroup, kh, kw] = imageShape(lowering.graph, weight);
  const [n, , outHeight, outWidth] = imageShape(lowering.graph, dy);
  const [, , height = 1, width = 1] = inputShape;
  const reach = [dilation[0] * (kh - 1), dilation[1] * (kw - 1)] as const;
  const before = [reach[0] - padding[0], reach[1] - padding[1]] as const;
  const after = [
    height + reach[0] - before[0] - outHeight * stride[0],
    width + reach[1] - before[1] - outWidth * stride[1],
  ] as const;
  const cells = emit('Reshape', [dy, integers([n, outputs, outHeight, 1, outWidth, 1])]);
  const apart = emit('Pad', [cells, integers([0, 0, 0, 0, 0, 0, 0, 0, 0, stride[0] - 1, 0, stride[1] - 1])]);
  const map = emit('Reshape', [apart, integers([n, outputs, outHeight * stride[0], outWidth * stride[1]])]);
  const window = { kernel: [kh, kw], stride: [1, 1], dilation, out: [height, width] } as const;
  const views = tapViews(lowering, padZeros(lowering, map, before, after), [n, outputs, groups], window);
  const columns = emit('Concat', views.reverse(), { axis: 2 });
  const split = emit('Reshape', [weight, integers([groups, outputs / groups, perGroup, kh * kw])]);
  const inputsFirst = emit('Transpose', [split], { perm: [0, 2, 3, 1] });
  const rows = emit('Reshape', [inputsFirst, integers([groups, perGroup, (kh * kw * outputs) / groups])]);
  emit('Reshape', [emit('MatMul', [rows, columns]), integers(inputShape)], {}, node.outputs[0]);
}
