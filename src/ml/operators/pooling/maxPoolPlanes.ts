import { imageShape } from '../../graph/builder.ts';
import type { Pooling } from '../../graph/geometry.ts';
import type { Node } from '../../graph/graph.ts';
import type { Lowering } from '../../lowering/lowering.ts';

/** Gradients by the planes of the input, one a stride phase (key `row,column`), all of one size. */
export interface Planes {
  readonly gradients: ReadonlyMap<string, string>;
  readonly size: readonly [number, number];
}

/** Where a tap of the window looks: at row `phase + stride * (output row + shift)` of the input. */
export function tapPlace(tap: number, stride: number, padding: number): { phase: number; shift: number } {
  const shift = Math.floor((tap - padding) / stride);
  return { phase: tap - padding - shift * stride, shift };
}

/** Moves a map by `shift` and cuts or fills it to another size; as it is if nothing changes. */
export function movedMap(
  { emit, integers }: Lowering,
  value: string,
  axes: readonly [number, number],
  move: { readonly shift: readonly number[]; readonly from: readonly number[]; readonly to: readonly number[] },
  fill: string,
): string {
  const before = [0, 0, 0, 0];
  const after = [0, 0, 0, 0];
  axes.forEach((axis, index) => {
    before[axis] = move.shift[index] ?? 0;
    after[axis] = (move.to[index] ?? 0) - (move.from[index] ?? 0) - (move.shift[index] ?? 0);
  });
  const pads = [...before, ...after];
  return pads.every((pad) => pad === 0) ? value : emit('Pad', [value, integers(pads), fill]);
}

/**
 * dx of max pooling without indices (their scatter is what makes ONNX's own form slow): the input is taken apart into
 * one plane a stride phase; every tap of the window then sees one plane, shifted, which is compared with the pooled
 * value. Taps are visited in scan order, and what one has taken of dy is gone for the next, so a tie counts once, as in
 * torch. `axes` are where height and width lie in the four-dimensional values.
 */
export function maxPoolGradientOfPlanes(
  lowering: Lowering,
  node: Node<Pooling>,
  { dy, x, y }: { readonly dy: string; readonly x: string; readonly y: string },
  axes: readonly [number, number],
): Planes {
  const { emit, integers, floats } = lowering;
  const [, , height, width] = imageShape(lowering.graph, node.inputs[1] ?? '');
  const [, , outHeight, outWidth] = imageShape(lowering.graph, node.inputs[0] ?? '');
  const [kh, kw] = node.attributes.kernel;
  const [sh, sw] = node.attributes.stride;
  const size = [Math.ceil(height / sh), Math.ceil(width / sw)] as const;
  const lowest = floats([-3.4e38]);

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
    const plane = movedMap(lowering, taken, axes, { shift: [0, 0], from: actual, to: size }, lowest);
    planes.set(key, plane);
    return plane;
  };

  const gradients = new Map<string, string>();
  const out = [outHeight, outWidth];
  let remaining = dy;
  for (let tap = 0; tap < kh * kw; tap++) {
    const row = tapPlace(Math.floor(tap / kw), sh, node.attributes.padding[0]);
    const column = tapPlace(tap % kw, sw, node.attributes.padding[1]);
    const shift = [row.shift, column.shift];
    const back = { shift: shift.map((value) => -value), from: size, to: out };
    const seen = movedMap(lowering, planeOf(row.phase, column.phase), axes, back, lowest);
    const chosen = emit('Cast', [emit('Equal', [seen, y])], { to: lowering.floatType });
    const taken = emit('Mul', [remaining, chosen]);
    if (tap + 1 < kh * kw) remaining = emit('Sub', [remaining, taken]);
    const placed = movedMap(lowering, taken, axes, { shift, from: out, to: size }, floats([0]));
    const key = `${row.phase},${column.phase}`;
    const sum = gradients.get(key);
    gradients.set(key, sum === undefined ? placed : emit('Add', [sum, placed]));
  }
  return { gradients, size };
}

/** Puts the phases' planes back together and cuts off what they have too much. */
export function interleavePlain(
  lowering: Lowering,
  node: Node<Pooling>,
  gradients: ReadonlyMap<string, string>,
  plane: readonly [number, number],
): void {
  const { emit, integers } = lowering;
  const [n, channels, height, width] = imageShape(lowering.graph, node.outputs[0] ?? '');
  const [sh, sw] = node.attributes.stride;
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
