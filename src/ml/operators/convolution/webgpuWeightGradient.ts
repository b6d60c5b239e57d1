import { imageShape } from '../../graph/builder.ts';
import type { Lowering } from '../../lowering/lowering.ts';
import { webgpuLimits } from '../../lowering/webgpu/webgpuLimits.ts';
import { pooledSum, sumOfParts } from '../../lowering/webgpu/webgpuSums.ts';
import type { WeightGradientNode } from './weightGradientForms.ts';

/** Side of the square of results that a workgroup of WebGPU's matrix product computes. */
const tileSide = 32;
/** WebGPU reads four floats at once where all rows have a multiple of so many. */
const vector = 4;
/** Inputs of an operator that every WebGPU device can bind, beside its output. */
const joinedAtOnce = 7;

/**
 * dw as one matrix product, `[O, pixels] x [pixels, taps I]`, of dy and what the kernel's taps see of x, gathered; in
 * parts, each over the pixels of a few images, where the results alone would not keep the card busy, and over few taps
 * at a time where what they see would take too much memory.
 */
export function lowerWebgpuWeightGradient(lowering: Lowering, node: WeightGradientNode): void {
  const { emit, integers, webgpu: limits = webgpuLimits } = lowering;
  const [x = '', dy = ''] = node.inputs;
  const [n, outputs, outHeight, outWidth] = imageShape(lowering.graph, dy);
  const pixels = outHeight * outWidth;
  const view = viewOf(lowering, node, x);
  const { channels, taps } = view;
  const atOnce = Math.max(1, Math.min(taps.length, Math.floor(limits.columnBytes / (4 * n * pixels * channels))));
  const tiles = Math.ceil(outputs / tileSide) * Math.ceil((atOnce * channels) / tileSide);
  const together = imagesTogether(n, pixels, tiles, limits.busyGroups);
  const parts = n / together;
  const last = emit('Transpose', [dy], { perm: [0, 2, 3, 1] });
  const pixelRows = emit('Reshape', [last, integers([parts, together * pixels, outputs])]);
  const rows = emit('Transpose', [pixelRows], { perm: [0, 2, 1] });
  const sums = Array.from({ length: Math.ceil(taps.length / atOnce) }, (_, index) => {
    const seen = { ...view, taps: taps.slice(index * atOnce, (index + 1) * atOnce) };
    const products = emit('MatMul', [rows, columnsOf(lowering, seen, n, together)]);
    return sumOfParts(lowering, products, [parts, outputs, seen.taps.length * channels]);
  });
  const [first = ''] = sums;
  channelsFirst(lowering, node, sums.length === 1 ? first : emit('Concat', sums, { axis: 1 }), channels);
}

/** dw of a depthwise convolution: for each of the kernel's taps the products of dy and what it sees of x, summed up. */
export function lowerWebgpuDepthwiseGradient(lowering: Lowering, node: WeightGradientNode): void {
  const { emit, integers } = lowering;
  const [x = '', dy = ''] = node.inputs;
  const { stride, padding, dilation, weightShape } = node.attributes;
  const [channels = 1, , kernelHeight = 1, kernelWidth = 1] = weightShape;
  const shape = imageShape(lowering.graph, dy);
  const pads = [0, 0, ...padding, 0, 0, ...padding];
  const image = pads.some((size) => size > 0) ? emit('Pad', [x, integers(pads)]) : x;
  const sums = Array.from({ length: kernelHeight * kernelWidth }, (_, tap) => {
    const start = [Math.floor(tap / kernelWidth) * dilation[0], (tap % kernelWidth) * dilation[1]] as const;
    const end = [start[0] + (shape[2] - 1) * stride[0] + 1, start[1] + (shape[3] - 1) * stride[1] + 1];
    const seen = emit('Slice', [image, integers(start), integers(end), integers([2, 3]), integers(stride)]);
    const sum = pooledSum(lowering, emit('Mul', [seen, dy]), shape, 1);
    return emit('Reshape', [sum, integers([channels, 1])]);
  });
  emit('Reshape', [joinColumns(lowering, sums), integers(weightShape)], {}, node.outputs[0]);
}

/** A join of more columns than WebGPU binds at once, in several levels. */
function joinColumns(lowering: Lowering, columns: readonly string[]): string {
  if (columns.length === 1) return columns[0] ?? '';
  const groups = Array.from({ length: Math.ceil(columns.length / joinedAtOnce) }, (_, index) => {
    const group = columns.slice(index * joinedAtOnce, (index + 1) * joinedAtOnce);
    return group.length === 1 ? (group[0] ?? '') : lowering.emit('Concat', group, { axis: 1 });
  });
  return joinColumns(lowering, groups);
}

/** Brings `[O, taps channels]` into the order of the weights; the channels may be more than theirs. */
function channelsFirst(
  { emit, integers }: Lowering,
  { attributes: { weightShape }, outputs: [output] }: WeightGradientNode,
  value: string,
  channels: number,
): void {
  const [outputs = 1, inputs = 1, height = 1, width = 1] = weightShape;
  const square = emit('Reshape', [value, integers([outputs, height, width, channels])]);
  const exact = channels === inputs;
  const whole = emit('Transpose', [square], { perm: [0, 3, 1, 2] }, exact ? output : undefined);
  if (!exact) emit('Slice', [whole, integers([0]), integers([inputs]), integers([1])], {}, output);
}

/** The input of a convolution `[N, H W, channels]`, padded, and the places in it that each of the kernel's taps sees. */
interface View {
  readonly name: string;
  readonly image: string;
  readonly size: number;
  readonly channels: number;
  readonly taps: readonly (readonly number[])[];
}

function viewOf(lowering: Lowering, node: WeightGradientNode, x: string): View {
  const { emit, integers } = lowering;
  const [, channels, height, width] = imageShape(lowering.graph, x);
  const [, , outHeight, outWidth] = imageShape(lowering.graph, node.inputs[1] ?? '');
  const [, , kernelHeight = 1, kernelWidth = 1] = node.attributes.weightShape;
  const { stride, padding, dilation } = node.attributes;
  const rows = height + 2 * padding[0];
  const columns = width + 2 * padding[1];
  const extra = kernelHeight * kernelWidth > 1 ? (vector - (channels % vector)) % vector : 0;
  const last = emit('Transpose', [x], { perm: [0, 2, 3, 1] });
  const pads = [0, ...padding, 0, 0, ...padding, extra];
  const image = pads.some((size) => size > 0) ? emit('Pad', [last, integers(pads)]) : last;
  const taps = Array.from({ length: kernelHeight * kernelWidth }, (_, tap) => {
    const top = Math.floor(tap / kernelWidth) * dilation[0];
    const left = (tap % kernelWidth) * dilation[1];
    return Array.from({ length: outHeight * outWidth }, (__, pixel) => {
      const row = Math.floor(pixel / outWidth) * stride[0] + top;
      return row * columns + (pixel % outWidth) * stride[1] + left;
    });
  });
  const name = [rows, columns, outHeight, outWidth, kernelHeight, kernelWidth, ...stride, ...dilation].join('x');
  const size = rows * columns;
  return { name, size, channels: channels + extra, taps, image };
}

/** What taps see, `[N / together, together pixels, taps channels]`. */
function columnsOf({ emit, integers, indices }: Lowering, view: View, n: number, together: number): string {
  const { taps, size, channels } = view;
  const [first = []] = taps;
  const pixels = first.length;
  const shape = integers([n / together, together * pixels, taps.length * channels]);
  const everyPixel = taps.length === 1 && pixels === size;
  if (everyPixel) return emit('Reshape', [view.image, shape]);
  const name = `${view.name} ${String(first[0])} ${String(taps.length)} of ${String(together)}`;
  const places = indices(name, together * pixels * taps.length, function* () {
    for (let image = 0; image < together; image++) {
      for (let pixel = 0; pixel < pixels; pixel++) {
        for (const tap of taps) yield image * size + (tap[pixel] ?? 0);
      }
    }
  });
  const images = emit('Reshape', [view.image, integers([n / together, together * size, channels])]);
  return emit('Reshape', [emit('Gather', [images, places], { axis: 1 }), shape]);
}

/**
 * Of how many images the pixels make one product, for products of `tiles` tiles: as many as leave enough workgroups, and
 * if it can be, so many that four pixels are read at once.
 */
function imagesTogether(n: number, pixels: number, tiles: number, busyGroups: number): number {
  const divisors = Array.from({ length: n }, (_, index) => n - index).filter((divisor) => n % divisor === 0);
  const busy = divisors.filter((divisor) => (n / divisor) * tiles >= busyGroups);
  return busy.find((divisor) => (divisor * pixels) % vector === 0) ?? busy[0] ?? 1;
}
