import { imageShape } from '../../graph/builder.ts';
import type { Pooling } from '../../graph/geometry.ts';
import type { Node } from '../../graph/graph.ts';
import { blocked, blockedDomain } from '../../lowering/blocked/blockedLayout.ts';
import { interleavePlanes } from '../../lowering/blocked/interleavePlanes.ts';
import { float, floatList, type Lowering } from '../../lowering/lowering.ts';
import { maxPoolGradientOfPlanes } from './maxPoolPlanes.ts';

/*
 * dx of max pooling over blocked images. Behind a ReLU the work is done by convolutions of one tap, which stride and pad
 * on all cores: the zeros that they pad with never count there, since where a window holds nothing above zero the ReLU
 * lets no gradient through. The pooling is taken apart into rows and columns, each with few taps; the first row that
 * holds the largest value, and in it the first column, are the first in scan order, as torch has it.
 */

export function lowerBlockedMaxPoolGradient(lowering: Lowering, node: Node<Pooling>): void {
  const axes = axesOf(lowering, node);
  const [, x = ''] = node.inputs;
  if (axes && lowering.rectified.has(x)) {
    behindRelu(lowering, node, axes);
    lowering.masked.set(node.outputs[0] ?? '', x);
  } else byPlanes(lowering, node);
}

/** One axis of the pooling: sizes before and after, and its window. */
interface Axis {
  readonly size: number;
  readonly out: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
}

/** Both axes, or nothing where a window's tap may lie so far out that its plane would have to be cut. */
function axesOf(lowering: Lowering, node: Node<Pooling>): readonly [Axis, Axis] | undefined {
  const [, , height, width] = imageShape(lowering.graph, node.inputs[1] ?? '');
  const [, , outHeight, outWidth] = imageShape(lowering.graph, node.inputs[0] ?? '');
  const axis = (index: 0 | 1, size: number, out: number): Axis => ({
    size,
    out,
    kernel: node.attributes.kernel[index],
    stride: node.attributes.stride[index],
    padding: node.attributes.padding[index],
  });
  const axes = [axis(0, height, outHeight), axis(1, width, outWidth)] as const;
  const fits = axes.every((it) => tapsOf(it).every((tap) => afterShift(it, tap.shift) >= 0 && afterTap(it) >= 0));
  return fits ? axes : undefined;
}

/** Where the taps of a window look: at `phase + stride * (output + shift)` of the input. */
function tapsOf({ kernel, stride, padding }: Axis): { phase: number; shift: number }[] {
  return Array.from({ length: kernel }, (_, tap) => {
    const shift = Math.floor((tap - padding) / stride);
    return { phase: tap - padding - shift * stride, shift };
  });
}

const planeSize = ({ size, stride }: Axis) => Math.ceil(size / stride);

/** Padding behind a plane that is moved by `shift`. */
function afterShift(axis: Axis, shift: number): number {
  return planeSize(axis) - axis.out - shift;
}

/** Padding behind the input so that its last window is whole. */
function afterTap({ size, out, kernel, stride, padding }: Axis): number {
  return (out - 1) * stride + kernel - size - padding;
}

function behindRelu(lowering: Lowering, node: Node<Pooling>, [rows, columns]: readonly [Axis, Axis]): void {
  const { emit } = lowering;
  const [dy = '', x = '', y = ''] = node.inputs.map((value) => blocked(lowering, value));
  const [n, channels] = imageShape(lowering.graph, node.inputs[1] ?? '');
  const widest = emit('MaxPool', [x], {
    domain: blockedDomain,
    kernel_shape: [1, columns.kernel],
    strides: [1, columns.stride],
    pads: [0, columns.padding, 0, columns.padding],
    ceil_mode: node.attributes.ceilMode ? 1 : 0,
  });
  const mask = emit('HardSigmoid', [y], { alpha: float(1e38), beta: float(0) });
  const masked = emit('Mul', [dy, mask]);
  lowering.overwrites.set(masked, mask);
  const ofRows = alongAxis(lowering, { dy: masked, x: widest, y, channels }, rows, 0, [n, columns.out]);
  alongAxis(lowering, { dy: ofRows, x, y: widest, channels }, columns, 1, [n, rows.size], node.outputs[0]);
}

interface Values {
  readonly dy: string;
  readonly x: string;
  readonly y: string;
  readonly channels: number;
}

/** dx of max pooling of blocked images along one axis, none of whose y is taken from the padding. */
function alongAxis(
  lowering: Lowering,
  { dy, x, y, channels }: Values,
  axis: Axis,
  index: 0 | 1,
  [n, other]: readonly [number, number],
  output?: string,
): string {
  const { emit, integers, block } = lowering;
  const images = (n * channels) / block;
  const pair = (value: number, rest: number): [number, number] => (index === 0 ? [value, rest] : [rest, value]);
  const pads = (before: number, after: number) => [...pair(before, 0), ...pair(after, 0)];
  const oneTap = (taps: number, tap: number, weight: number) => {
    const weights = Array.from({ length: (channels / block) * taps * block }, (_, at) =>
      Math.floor(at / block) % taps === tap ? weight : 0,
    );
    return lowering.floats(weights, [channels, 1, ...pair(taps, 1)]);
  };
  const convolution = { domain: blockedDomain, dilations: [1, 1], group: channels };

  const taps = tapsOf(axis);
  let remaining = dy;
  const gradients = taps.map((_, tap) => {
    if (tap + 1 === taps.length) return remaining;
    const chosen = emit('Conv', [x, oneTap(taps.length, tap, -1), '', y], {
      ...convolution,
      kernel_shape: pair(axis.kernel, 1),
      strides: pair(axis.stride, 1),
      pads: pads(axis.padding, afterTap(axis)),
      // Of how much the largest value is more than the tap's: 1 where it is no more, else 0.
      activation: 'HardSigmoid',
      activation_params: floatList([-1e38, 1]),
    });
    const taken = emit('Mul', [remaining, chosen]);
    const left = emit('Sub', [remaining, taken]);
    lowering.overwrites.set(taken, chosen).set(left, remaining);
    remaining = left;
    return taken;
  });

  const size = planeSize(axis);
  const planes = new Map<string, string>();
  taps.forEach(({ phase, shift }, tap) => {
    const key = index === 0 ? `${phase},0` : `0,${phase}`;
    const sum = planes.get(key);
    const gradient = gradients[tap] ?? '';
    const ahead = Math.max(0, -shift);
    const still = shift === 0 && afterShift(axis, 0) === 0;
    const moved = () =>
      emit('Conv', [gradient, oneTap(ahead + 1, ahead, 1), ...(sum === undefined ? [] : ['', sum])], {
        ...convolution,
        kernel_shape: pair(ahead + 1, 1),
        strides: [1, 1],
        pads: pads(Math.max(0, shift), size - axis.out - shift),
      });
    planes.set(key, !still ? moved() : sum === undefined ? gradient : emit('Add', [sum, gradient]));
  });
  const shaped = new Map(
    [...planes].map(([key, plane]) => [key, emit('Reshape', [plane, integers([images, ...pair(size, other), block])])]),
  );
  const whole = interleavePlanes(lowering, shaped, {
    images,
    phases: pair(axis.stride, 1),
    plane: pair(size, other),
    size: pair(axis.size, other),
  });
  return emit('Reshape', [whole, integers([n, channels, ...pair(axis.size, other)])], {}, output);
}

function byPlanes(lowering: Lowering, node: Node<Pooling>): void {
  const { emit, integers, block } = lowering;
  const [dy = '', x = '', y = ''] = node.inputs;
  const pixelsOf = (value: string) => {
    const [n, c, h, w] = imageShape(lowering.graph, value);
    return emit('Reshape', [blocked(lowering, value), integers([(n * c) / block, h, w, block])]);
  };
  const [n, channels, height, width] = imageShape(lowering.graph, x);
  const values = { dy: pixelsOf(dy), x: pixelsOf(x), y: pixelsOf(y) };
  const planes = maxPoolGradientOfPlanes(lowering, node, values, [1, 2]);
  const whole = interleavePlanes(lowering, planes.gradients, {
    images: (n * channels) / block,
    phases: node.attributes.stride,
    plane: planes.size,
    size: [height, width],
  });
  emit('Reshape', [whole, integers([n, channels, height, width])], {}, node.outputs[0]);
}
