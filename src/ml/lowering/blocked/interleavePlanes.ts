import type { Lowering } from '../lowering.ts';

/**
 * Planes of stride phases, each `[images, h, w, B]` by the key `row,column` of its phase, back into one map, of which the
 * first `size` rows and columns are kept. A phase without a plane is 0.
 */
export function interleavePlanes(
  lowering: Lowering,
  planes: ReadonlyMap<string, string>,
  layout: {
    readonly images: number;
    readonly phases: readonly [number, number];
    readonly plane: readonly [number, number];
    readonly size: readonly [number, number];
  },
): string {
  const { emit, integers, block } = lowering;
  const { images, size } = layout;
  const [sh, sw] = layout.phases;
  const [h, w] = layout.plane;
  const cell = integers([images, h, 1, w, 1, block]);
  const only = planes.get('0,0');
  let joined: string;
  if (planes.size === 1 && only !== undefined) {
    joined = emit('Pad', [emit('Reshape', [only, cell]), integers([0, 0, 0, 0, 0, 0, 0, 0, sh - 1, 0, sw - 1, 0])]);
  } else {
    const zeros = () => emit('Expand', [lowering.floats([0]), cell]);
    // To join one value would be to copy it.
    const join = (values: readonly string[], axis: number) =>
      values.length === 1 ? (values[0] ?? '') : emit('Concat', values, { axis });
    const lines = Array.from({ length: sh }, (_, r) => {
      const cells = Array.from({ length: sw }, (_unused, c) => {
        const plane = planes.get(`${r},${c}`);
        return plane === undefined ? zeros() : emit('Reshape', [plane, cell]);
      });
      return join(cells, 4);
    });
    joined = join(lines, 2);
  }
  const whole = emit('Reshape', [joined, integers([images, h * sh, w * sw, block])]);
  if (size[0] === h * sh && size[1] === w * sw) return whole;
  return emit('Slice', [whole, integers([0, 0]), integers(size), integers([1, 2])]);
}
