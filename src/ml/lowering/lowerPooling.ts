import { imageShape } from '../graph/builder.ts';
import type { NodeOf, Pooling } from '../graph/graph.ts';
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

/** Gradients by the planes of the input, one a stride phase (key `row,column`), all of one size. */
export interface Planes {
  readonly gradients: ReadonlyMap<string, string>;
  readonly size: readonly [number, number];
}

/** Where a tap of the window looks: at row `phase + stride * (output row + shift)` of the input. */
function tapPlace(tap: number, stride: number, padding: number): { phase: number; shift: number } {
  const shift = Math.floor((tap - padding) / stride);
  return { phase: tap - padding - shift * stride, shift };
}

/**
 * dx of max pooling without indices (their scatter is what makes ONNX's own form slow): the input is taken apart into
 * one plane a stride phase; every tap of the window then sees one plane, shifted, which is compared with the pooled
 * value. Taps are visited in scan order, and what one has taken of dy is gone for the next, so a tie counts once, as in
 * torch. `axes` are where height and width lie in the four-dimensional values.
 */
export function maxPoolGradientOfPlanes(
  lowering: Lowering,
  node: NodeOf<'maxPoolGradient'>,
  { dy, x, y }: { readonly dy: string; readonly x: string; readonly y: string },
  axes: readonly [number, number],
): Planes {
  const { emit, integers, floats } = lowering;
  const [, , height, width] = imageShape(lowering.graph, node.inputs[1] ?? '');
  const [, , outHeight, outWidth] = imageShape(lowering.graph, node.inputs[0] ?? '');
  const [kh, kw] = node.kernel;
  const [sh, sw] = node.stride;
  const size = [Math.ceil(height / sh), Math.ceil(width / sw)] as const;
  const lowest = floats([-3.4e38]);

  /** Moves a map by `shift` and cuts or fills it to another size; as it is where nothing changes. */
  const moved = (
    value: string,
    shift: readonly number[],
    from: readonly number[],
    to: readonly number[],
    fill: string,
  ) => {
    const before = [0, 0, 0, 0];
    const after = [0, 0, 0, 0];
    axes.forEach((axis, index) => {
      before[axis] = shift[index] ?? 0;
      after[axis] = (to[index] ?? 0) - (from[index] ?? 0) - (shift[index] ?? 0);
    });
    const pads = [...before, ...after];
    return pads.every((pad) => pad === 0) ? value : emit('Pad', [value, integers(pads), fill]);
  };
  const planes = new Map<string, string>();
  const planeOf = (row: number, column: number) => {
    const key = `${row},${column}`;
    const known = planes.get(key);
    if (known !== undefined) return known;
    const actual = [Math.ceil((height - row) / sh), Math.ceil((width - column) / sw)];
    const taken = emit('Slice', [
      x,
      integers([row, column]),
      integers([height, width]),
      integers(axes),
      integers([sh, sw]),
    ]);
    const plane = moved(taken, [0, 0], actual, size, lowest);
    planes.set(key, plane);
    return plane;
  };

  const gradients = new Map<string, string>();
  const out = [outHeight, outWidth];
  let remaining = dy;
  for (let tap = 0; tap < kh * kw; tap++) {
    const row = tapPlace(Math.floor(tap / kw), sh, node.padding[0]);
    const column = tapPlace(tap % kw, sw, node.padding[1]);
    const shift = [row.shift, column.shift];
    const seen = moved(
      planeOf(row.phase, column.phase),
      shift.map((value) => -value),
      size,
      out,
      lowest,
    );
    const chosen = emit('Cast', [emit('Equal', [seen, y])], { to: lowering.floatType });
    const taken = emit('Mul', [remaining, chosen]);
    if (tap + 1 < kh * kw) remaining = emit('Sub', [remaining, taken]);
    const placed = moved(taken, shift, out, size, floats([0]));
    const key = `${row.phase},${column.phase}`;
    const sum = gradients.get(key);
    gradients.set(key, sum === undefined ? placed : emit('Add', [sum, placed]));
  }
  return { gradients, size };
}

export function lowerMaxPoolGradient(lowering: Lowering, node: NodeOf<'maxPoolGradient'>): void {
  const [dy = '', x = '', y = ''] = node.inputs;
  const { gradients, size } = maxPoolGradientOfPlanes(lowering, node, { dy, x, y }, [2, 3]);
  interleave(lowering, node, gradients, size);
}

/** Puts the phases' planes back together and cuts off what they have too much. */
function interleave(
  lowering: Lowering,
  node: NodeOf<'maxPoolGradient'>,
  gradients: ReadonlyMap<string, string>,
  plane: readonly [number, number],
): void {
  const { emit, integers } = lowering;
  const [n, channels, height, width] = imageShape(lowering.graph, node.outputs[0] ?? '');
  const [sh, sw] = node.stride;
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
  emit('Slice', [whole, integers([0, 0]), integers([height, width]), integers([2, 3])], {}, node.outputs[0]);
}

/** Whether windows lie side by side inside the image, none overlapping, in the padding or cut off at its end. */
export function coversEvenly(node: NodeOf<'averagePoolGradient'>, outHeight: number, outWidth: number): boolean {
  const [, , height = 1, width = 1] = node.inputShape;
  const [kh, kw] = node.kernel;
  const sideBySide = node.stride[0] === kh && node.stride[1] === kw && node.padding[0] + node.padding[1] === 0;
  return sideBySide && outHeight * kh <= height && outWidth * kw <= width;
}

/** dx of average pooling whose windows do not overlap (DenseNet's): every pixel of a window gets an equal share. */
export function lowerAveragePoolGradient(lowering: Lowering, node: NodeOf<'averagePoolGradient'>): void {
  const { emit, integers } = lowering;
  const [dy = ''] = node.inputs;
  const [n, channels, outHeight, outWidth] = imageShape(lowering.graph, dy);
  const [, , height = 1, width = 1] = node.inputShape;
  const [kh, kw] = node.kernel;
  if (!coversEvenly(node, outHeight, outWidth)) {
    throw new Error('the gradient of average pooling with overlapping, padded or cut windows is not implemented');
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
