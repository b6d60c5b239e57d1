import { imageShape } from '../builder.ts';
import type { NodeOf, Pooling } from '../graph.ts';
import type { Lowering } from './lowering.ts';

function attributesOf({ kernel, stride, padding, ceilMode }: Pooling) {
  return { kernel_shape: kernel, strides: stride, pads: [...padding, ...padding], ceil_mode: ceilMode ? 1 : 0 };
}

export function lowerMaxPool(lowering: Lowering, node: NodeOf<'maxPool'>): void {
  lowering.emit('MaxPool', node.inputs, attributesOf(node), node.outputs[0]);
}

export function lowerAveragePool(lowering: Lowering, node: NodeOf<'averagePool'>): void {
  lowering.emit('AveragePool', node.inputs, { ...attributesOf(node), count_include_pad: 1 }, node.outputs[0]);
}

/** Gradients by the planes of the padded input, one a stride phase (key `row,column`), and the planes' size. */
export interface Planes {
  readonly gradients: ReadonlyMap<string, string>;
  readonly size: readonly [number, number];
}

/**
 * dx of max pooling without indices (their scatter is what makes ONNX's own form slow): the padded input is taken apart
 * into one plane a stride phase; every tap of the window is then a slice of one plane, compared with the pooled value.
 * Taps are visited in scan order, and what one has taken of dy is gone for the next, so a tie counts once, as in torch.
 * `axes` are where height and width lie in the four-dimensional values.
 */
export function maxPoolGradientOfPlanes(
  lowering: Lowering,
  node: NodeOf<'maxPoolGradient'>,
  { dy, x, y }: { readonly dy: string; readonly x: string; readonly y: string },
  { axes }: { readonly axes: readonly [number, number] },
): Planes {
  const { emit, integers } = lowering;
  const [, , height, width] = imageShape(lowering.graph, node.inputs[1] ?? '');
  const [, , outHeight, outWidth] = imageShape(lowering.graph, node.inputs[0] ?? '');
  const [kh, kw] = node.kernel;
  const [sh, sw] = node.stride;
  const [padH, padW] = node.padding;
  const planeHeight = Math.max(outHeight + Math.floor((kh - 1) / sh), Math.ceil((height + padH) / sh));
  const planeWidth = Math.max(outWidth + Math.floor((kw - 1) / sw), Math.ceil((width + padW) / sw));
  const at = (value: readonly [number, number]) => {
    const all = [0, 0, 0, 0];
    axes.forEach((axis, index) => (all[axis] = value[index] ?? 0));
    return all;
  };
  const pads = (before: readonly [number, number], after: readonly [number, number]) =>
    integers([...at(before), ...at(after)]);
  const behind = [planeHeight * sh - height - padH, planeWidth * sw - width - padW] as const;
  const lowest = lowering.floats([-3.4e38]);
  const padded = emit('Pad', [x, pads([padH, padW], behind), lowest]);

  const planes = new Map<string, string>();
  const gradients = new Map<string, string>();
  let remaining = dy;
  for (let tap = 0; tap < kh * kw; tap++) {
    const row = Math.floor(tap / kw);
    const column = tap % kw;
    const phase = [row % sh, column % sw] as const;
    const start = [Math.floor(row / sh), Math.floor(column / sw)] as const;
    const key = phase.join();
    const whole = integers([planeHeight * sh, planeWidth * sw]);
    const plane =
      planes.get(key) ?? emit('Slice', [padded, integers(phase), whole, integers(axes), integers([sh, sw])]);
    planes.set(key, plane);
    const end = [start[0] + outHeight, start[1] + outWidth] as const;
    const seen = emit('Slice', [plane, integers(start), integers(end), integers(axes)]);
    const chosen = emit('Cast', [emit('Equal', [seen, y])], { to: 1 });
    const taken = emit('Mul', [remaining, chosen]);
    if (tap + 1 < kh * kw) remaining = emit('Sub', [remaining, taken]);
    const placed = emit('Pad', [taken, pads(start, [planeHeight - end[0], planeWidth - end[1]])]);
    const sum = gradients.get(key);
    gradients.set(key, sum === undefined ? placed : emit('Add', [sum, placed]));
  }
  return { gradients, size: [planeHeight, planeWidth] };
}

export function lowerMaxPoolGradient(lowering: Lowering, node: NodeOf<'maxPoolGradient'>): void {
  const [dy = '', x = '', y = ''] = node.inputs;
  const { gradients, size } = maxPoolGradientOfPlanes(lowering, node, { dy, x, y }, { axes: [2, 3] });
  interleave(lowering, node, gradients, size);
}

/** Puts the phases' planes back together and cuts off the padding. */
function interleave(
  lowering: Lowering,
  node: NodeOf<'maxPoolGradient'>,
  gradients: ReadonlyMap<string, string>,
  plane: readonly [number, number],
): void {
  const { emit, integers } = lowering;
  const [n, channels, height, width] = imageShape(lowering.graph, node.outputs[0] ?? '');
  const [sh, sw] = node.stride;
  const [padH, padW] = node.padding;
  const [planeHeight, planeWidth] = plane;
  const phases = Array.from({ length: sh * sw }, (_, index) => {
    const key = `${String(Math.floor(index / sw))},${String(index % sw)}`;
    const zeros = () => emit('Expand', [lowering.floats([0]), integers([n, channels, planeHeight, planeWidth])]);
    return gradients.get(key) ?? zeros();
  });
  let whole = phases[0] ?? '';
  if (phases.length > 1) {
    const stacked = emit(
      'Concat',
      phases.map((value) => emit('Reshape', [value, integers([n, channels, 1, planeHeight, planeWidth])])),
      { axis: 2 },
    );
    const split = emit('Reshape', [stacked, integers([n, channels, sh, sw, planeHeight, planeWidth])]);
    // Two steps that ONNX Runtime has fast kernels for; the one step that both make together it moves value by value.
    const rows = emit('Transpose', [split], { perm: [0, 1, 4, 2, 3, 5] });
    const ordered = emit('Transpose', [rows], { perm: [0, 1, 2, 3, 5, 4] });
    whole = emit('Reshape', [ordered, integers([n, channels, planeHeight * sh, planeWidth * sw])]);
  }
  const ends = integers([padH + height, padW + width]);
  emit('Slice', [whole, integers([padH, padW]), ends, integers([2, 3])], {}, node.outputs[0]);
}

/** dx of average pooling whose windows do not overlap (DenseNet's): every pixel of a window gets an equal share. */
export function lowerAveragePoolGradient(lowering: Lowering, node: NodeOf<'averagePoolGradient'>): void {
  const { emit, integers } = lowering;
  const [dy = ''] = node.inputs;
  const [n, channels, outHeight, outWidth] = imageShape(lowering.graph, dy);
  const [, , height = 1, width = 1] = node.inputShape;
  const [kh, kw] = node.kernel;
  const [padH, padW] = node.padding;
  if (node.stride[0] !== kh || node.stride[1] !== kw || padH + padW > 0) {
    throw new Error('the gradient of average pooling with overlapping or padded windows is not implemented');
  }
  const shares = emit('Mul', [dy, lowering.floats([1 / (kh * kw)])]);
  const spread = emit('Expand', [
    emit('Reshape', [shares, integers([n, channels, outHeight, 1, outWidth, 1])]),
    integers([n, channels, outHeight, kh, outWidth, kw]),
  ]);
  const whole = emit('Reshape', [spread, integers([n, channels, outHeight * kh, outWidth * kw])]);
  const pads = integers([0, 0, 0, 0, 0, 0, height - outHeight * kh, width - outWidth * kw]);
  emit('Pad', [whole, pads], {}, node.outputs[0]);
}

export function lowerGlobalAveragePool(lowering: Lowering, node: NodeOf<'globalAveragePool'>): void {
  const pooled = lowering.emit('GlobalAveragePool', node.inputs);
  lowering.emit('Flatten', [pooled], { axis: 1 }, node.outputs[0]);
}

export function lowerGlobalAveragePoolGradient(lowering: Lowering, node: NodeOf<'globalAveragePoolGradient'>): void {
  const { emit, integers } = lowering;
  const [n = 1, channels = 1, height = 1, width = 1] = node.inputShape;
  const share = emit('Mul', [...node.inputs, lowering.floats([1 / (height * width)])]);
  const pixel = emit('Reshape', [share, integers([n, channels, 1, 1])]);
  emit('Expand', [pixel, integers(node.inputShape)], {}, node.outputs[0]);
}
