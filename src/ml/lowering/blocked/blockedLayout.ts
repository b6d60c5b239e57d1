import { typeOf, type Graph, type Node } from '../../graph/graph.ts';
import type { Lowering } from '../lowering.ts';
import { loweredOperator } from '../operator.ts';

/*
 * ONNX Runtime's CPU kernels for images whose channels are blocked: `[N, C/B, H, W, B]` in memory, declared as
 * `[N, C, H, W]`, where B is as many floats as a vector register holds. Its convolution is about three times as fast as
 * the plain one, and its optimizer turns to it for networks with constant weights. In a training step weights are
 * values like others, so we say ourselves what goes into which layout. Element-wise operators, and joins and slices
 * along channels by multiples of B, do not care about the layout.
 */

/** Domain of the operators that compute on blocked images. */
export const blockedDomain = 'com.microsoft.nchwc';

/** Whether a value is an image that is held blocked. */
export function isBlocked(lowering: Lowering, value: string): boolean {
  return lowering.images.has(value) && isBlockable(typeOf(lowering.graph, value).shape, lowering.block);
}

function isBlockable(shape: readonly number[], block: number): boolean {
  return (shape[1] ?? 0) % block === 0;
}

/** The images among a graph's values. */
export function imagesOf(graph: Graph): Set<string> {
  const values = graph.nodes.flatMap((node) => [...node.inputs, ...node.outputs]);
  return new Set(values.filter((value) => typeOf(graph, value).axes === 'image'));
}

/** Whether a whole graph can be computed on blocks: all images but the colours that go in have full blocks. */
export function suitsBlocks(graph: Graph, images: ReadonlySet<string>, block: number): boolean {
  return graph.nodes.every((node) => {
    const operator = loweredOperator(node);
    if (operator.suitsBlocks?.({ graph }, node, block) === false) return false;
    const colours = operator.takesColours?.(node) ?? [];
    return [...node.inputs, ...node.outputs].every((value) => {
      if (!images.has(value)) return true;
      const { shape } = typeOf(graph, value);
      return isBlockable(shape, block) || ((shape[1] ?? 0) < block && colours.includes(value));
    });
  });
}

/** Which taps of one axis reach the pixels of one stride phase, and the padding of dy that lines them up. */
export interface Phase {
  readonly taps: readonly number[];
  readonly before: number;
  readonly after: number;
  readonly size: number;
}

export function phasesOf(size: number, out: number, kernel: number, stride: number, padding: number): Phase[] {
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

/** The blocked form of an image: graph inputs come plain and are reordered once. */
export function blocked(lowering: Lowering, value: string): string {
  if (!lowering.graph.inputs.includes(value)) return value;
  const known = lowering.reordered.get(value);
  if (known !== undefined) return known;
  const reordered = lowering.emit('ReorderInput', [value], { domain: blockedDomain });
  lowering.reordered.set(value, reordered);
  return reordered;
}

/** Brings the inputs of an operator that does not care for the layout into blocks, which then knows them by their new names. */
export function readBlocked(lowering: Lowering, { inputs }: Node): void {
  for (const value of inputs) {
    if (!isBlocked(lowering, value)) continue;
    const image = blocked(lowering, value);
    if (image !== value) lowering.alias.set(value, image);
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

/** A blocked image in the plain layout. */
export function plain(lowering: Lowering, value: string): string {
  const channels = typeOf(lowering.graph, value).shape[1] ?? 1;
  return lowering.emit('ReorderOutput', [blocked(lowering, value)], { domain: blockedDomain, channels });
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
