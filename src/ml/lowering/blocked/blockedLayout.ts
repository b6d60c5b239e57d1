import { typeOf, type Node } from '../../graph/graph.ts';
import type { Lowering } from '../lowering.ts';

/*
 * ONNX Runtime's CPU kernels for images whose channels are blocked: `[N, C/B, H, W, B]` in memory, declared as
 * `[N, C, H, W]`, where B is as many floats as a vector register holds. Its convolution is about three times as fast as
 * the plain one, and its optimizer turns to it for networks with constant weights. In a training step weights are
 * values like others, so we say ourselves what goes into which layout. Element-wise operators, and joins and slices
 * along channels by multiples of B, do not care about the layout.
 */

/** Domain of the operators that compute on blocked images. */
export const blockedDomain = 'com.microsoft.nchwc';

/** Whether a value is an image that can be held in blocks. */
export function isBlocked(lowering: Lowering, value: string): boolean {
  const { axes, shape } = typeOf(lowering.graph, value);
  return axes === 'image' && (shape[1] ?? 0) % lowering.block === 0;
}

/** Which taps of one axis reach the pixels of one stride phase, and the padding of dy that lines them up. */
export interface StridePhase {
  readonly taps: readonly number[];
  readonly before: number;
  readonly after: number;
  readonly size: number;
}

export function stridePhases(
  size: number,
  out: number,
  kernel: number,
  stride: number,
  padding: number,
): StridePhase[] {
  return Array.from({ length: stride }, (_, phase) => {
    const taps = Array.from({ length: kernel }, (_unused, tap) => tap).filter(
      (tap) => (phase + padding - tap) % stride === 0,
    );
    const length = Math.ceil((size - phase) / stride);
    const [first = 0] = taps;
    const before = taps.length - 1 - (phase + padding - first) / stride;
    return { taps: taps.reverse(), before, after: length - out - before + taps.length - 1, size: length };
  });
}

/** The blocked form of an image: what is held plain is reordered once. */
export function blocked(lowering: Lowering, value: string): string {
  if (lowering.layouts.images.has(value) || !isBlocked(lowering, value)) return value;
  const known = lowering.reordered.get(value);
  if (known !== undefined) return known;
  const reordered = lowering.emit('ReorderInput', [value], { domain: blockedDomain });
  lowering.reordered.set(value, reordered);
  return reordered;
}

/** The inputs of an operator that does not care for the layout, all in blocks: it reads them by these names. */
export function readBlocked(lowering: Lowering, { inputs }: Node): void {
  for (const value of new Set(inputs)) {
    if (!lowering.alias.has(value)) readAs(lowering, value, blocked(lowering, value));
  }
}

/** Lets the node that is being lowered read a value by another name. */
function readAs(lowering: Lowering, value: string, name: string): void {
  if (name === value) return;
  lowering.readAs.set(value, lowering.alias.get(value));
  lowering.alias.set(value, name);
}

/** Gives values the names back that they had before a node read them in its layout. */
export function forgetReadAs({ alias, readAs: names }: Lowering): void {
  for (const [value, before] of names) {
    if (before === undefined) alias.delete(value);
    else alias.set(value, before);
  }
  names.clear();
}

/** The inputs of a node that computes on plain images, which it reads by these names: images and kernels out of blocks. */
export function readPlain(lowering: Lowering, { inputs, outputs }: Node): void {
  const isConvolution = [...inputs, ...outputs].some((value) => typeOf(lowering.graph, value).axes === 'image');
  for (const value of new Set(inputs)) {
    if (lowering.layouts.images.has(value)) readAs(lowering, value, plain(lowering, value));
    if (isConvolution && lowering.kernels.has(value)) readAs(lowering, value, plainKernel(lowering, value));
  }
}

/** A blocked image with its channels last, `[N, H, W, C]`. */
export function channelsLast(lowering: Lowering, value: string): string {
  const channels = typeOf(lowering.graph, value).shape[1] ?? 1;
  return lowering.emit('ReorderOutput', [blocked(lowering, value)], {
    domain: blockedDomain,
    channels,
    channels_last: 1,
  });
}

/** An image in the plain layout: what is held in blocks is reordered once. */
export function plain(lowering: Lowering, value: string): string {
  if (!lowering.layouts.images.has(value)) return value;
  const known = lowering.reordered.get(value);
  if (known !== undefined) return known;
  const channels = typeOf(lowering.graph, value).shape[1] ?? 1;
  const reordered = lowering.emit('ReorderOutput', [value], { domain: blockedDomain, channels });
  lowering.reordered.set(value, reordered);
  return reordered;
}

/** A convolution's weights in the order of blocks, brought there if the model does not hold them so. */
export function blockedKernel(lowering: Lowering, weight: string): string {
  return lowering.kernels.has(weight) ? weight : heldFromPlain(lowering, weight, typeOf(lowering.graph, weight).shape);
}

/** A convolution's weights that are held in blocks, `[O/B, I/B, kh, kw, B of I, B of O]`, in torch's order. */
export function plainKernel(lowering: Lowering, weight: string): string {
  return plainFromHeld(lowering, weight, typeOf(lowering.graph, weight).shape);
}

/** Weights in torch's order `[O, I, kh, kw]` into the order in which a blocked model holds them (blockedWeights.ts). */
export function heldFromPlain(lowering: Lowering, weight: string, shape: readonly number[], output?: string): string {
  const { emit, integers, block } = lowering;
  const [outputs = 1, inputs = 1, kh = 1, kw = 1] = shape;
  const taps = kh * kw;
  const rows = emit('Reshape', [weight, integers([outputs / block, block, inputs * taps])]);
  const outputsLast = emit('Transpose', [rows], { perm: [0, 2, 1] });
  if (inputs < block || taps === 1) return emit('Reshape', [outputsLast, integers(shape)], {}, output);
  const split = emit('Reshape', [outputsLast, integers([outputs / block, inputs / block, block, taps, block])]);
  const ordered = emit('Transpose', [split], { perm: [0, 1, 3, 2, 4] });
  return emit('Reshape', [ordered, integers(shape)], {}, output);
}

/** Weights in the order in which a blocked model holds them into torch's. */
export function plainFromHeld(lowering: Lowering, weight: string, shape: readonly number[], output?: string): string {
  const { emit, integers, block } = lowering;
  const [outputs = 1, inputs = 1, kh = 1, kw = 1] = shape;
  const inner = inputs < block ? 1 : block;
  const split = emit('Reshape', [weight, integers([outputs / block, inputs / inner, kh * kw, inner, block])]);
  const ordered = emit('Transpose', [split], { perm: [0, 4, 1, 3, 2] });
  return emit('Reshape', [ordered, integers(shape)], {}, output);
}

/** Exchanges the two innermost dimensions, both a block long; reordering an image is the fastest operator that does it. */
export function exchangeBlocks(lowering: Lowering, value: string): string {
  const { emit, integers, block } = lowering;
  const images = emit('Reshape', [value, integers([-1, block, 1, block])]);
  return emit('ReorderInput', [images], { domain: blockedDomain });
}

/**
 * Kernels of a blocked convolution that goes from a convolution's outputs back to its inputs, `[I/B, O/B, taps, B of O, B
 * of I]`, of the taps given in scan order of the new kernel.
 */
export function exchangedKernel(
  lowering: Lowering,
  exchanged: string,
  taps: readonly number[],
  shape: readonly [inputs: number, outputs: number, kh: number, kw: number],
  tapCount: number,
): string {
  const { emit, integers, block } = lowering;
  const [inputs, outputs] = shape;
  const [inputBlocks, outputBlocks] = [inputs / block, outputs / block];
  const pieces = emit('Reshape', [exchanged, integers([-1, block * block])]);
  const name = `taps ${taps.join()} of ${[inputs, outputs, tapCount].join()}`;
  const order = lowering.indices(name, inputBlocks * outputBlocks * taps.length, function* () {
    for (let i = 0; i < inputBlocks; i++) {
      for (let o = 0; o < outputBlocks; o++) for (const tap of taps) yield (o * inputBlocks + i) * tapCount + tap;
    }
  });
  return emit('Reshape', [emit('Gather', [pieces, order], { axis: 0 }), integers(shape)]);
}
