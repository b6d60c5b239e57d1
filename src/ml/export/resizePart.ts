import type { Interpolation } from '../../protocol/preprocessing.ts';
import { onnxDataTypes } from '../onnx/onnxModel.ts';
import type { OnnxParts } from './onnxParts.ts';

/** Bits after the point of Pillow's weights. */
const weightBits = 22;

const radius: Readonly<Record<Interpolation, number>> = { bilinear: 1, bicubic: 2, lanczos: 3 };

/** Which of the output's positions are wanted: all, or `count` from `first` on. Names of int64 scalars. */
export interface Window {
  readonly first: string;
  readonly count: string;
}

/**
 * Resizes axis 0 of uint8 values `[from, A, B, C]` to `to`, the name of an int64 scalar, as `data/resize.ts` and Pillow do:
 * the filter's weights in 22 bits, exact sums of whole numbers, rounded to 8 bits. Gives uint8 `[to, A, B, C]`, or those
 * of `window`.
 *
 * ONNX has an antialiased Resize since opset 18, but it neither rounds its weights nor, between the two axes, the pixels,
 * and foreign models are of older opsets. The sum is taken in a loop over the filter's taps: as a product of matrices it
 * would need the whole image in floats.
 */
export function resizeAxis(
  parts: OnnxParts,
  pixels: string,
  to: string,
  interpolation: Interpolation,
  window: Window = { first: parts.int64([0]), count: to },
): string {
  const { emit, int32, int64 } = parts;
  const { taps, places, weights } = filterWeights(parts, pixels, to, interpolation, window);
  const rest = emit('Slice', [emit('Shape', [pixels]), int64([1], [1]), int64([4], [1])]);
  const shape = emit('Concat', [emit('Reshape', [window.count, int64([1], [1])]), rest], { axis: 0 });
  const half = emit('Expand', [int32(2 ** (weightBits - 1)), shape]);

  const body = parts.inside();
  const [turn, goesOn, sum] = [parts.name('turn'), parts.name('goes_on'), parts.name('sum')];
  const chosen = body.emit('Gather', [pixels, body.emit('Gather', [places, turn], { axis: 0 })], { axis: 0 });
  const weight = body.emit('Gather', [weights, turn], { axis: 0 });
  const product = body.emit('Mul', [body.emit('Cast', [chosen], { to: onnxDataTypes.int32 }), weight]);
  const next = body.emit('Add', [sum, product]);
  const stays = body.emit('Identity', [goesOn]);
  const value = (name: string, elemType: number) => ({ name, type: { tensorType: { elemType } } });
  const scalar = (name: string, elemType: number) => ({ name, type: { tensorType: { elemType, shape: { dim: [] } } } });
  const summed = emit('Loop', [taps, '', half], {
    body: {
      name: parts.name('taps'),
      node: body.nodes,
      input: [scalar(turn, onnxDataTypes.int64), scalar(goesOn, boolean), value(sum, onnxDataTypes.int32)],
      output: [scalar(stays, boolean), value(next, onnxDataTypes.int32)],
    },
  });
  const positive = emit('Max', [summed, int32(0)]);
  const rounded = emit('Div', [positive, int32(2 ** weightBits)]);
  return emit('Cast', [emit('Min', [rounded, int32(255)])], { to: onnxDataTypes.uint8 });
}

const boolean = 9;

/**
 * For each tap of the filter and each wanted output: the input that counts, int64 `[taps, count]`, and how much, int32
 * `[taps, count, 1, 1, 1]`. Computed in float64, in the order of `data/resize.ts`.
 */
function filterWeights(parts: OnnxParts, pixels: string, to: string, interpolation: Interpolation, window: Window) {
  const { emit, int64, float64 } = parts;
  const double = (value: string) => emit('Cast', [value], { to: onnxDataTypes.float64 });
  const half = float64(0.5);
  const from = double(emit('Gather', [emit('Shape', [pixels]), int64([0])], { axis: 0 }));
  const scale = emit('Div', [from, double(to)]);
  const width = emit('Max', [scale, float64(1)]);
  const support = emit('Mul', [width, float64(radius[interpolation])]);
  const first = double(window.first);
  const end = emit('Add', [first, double(window.count)]);
  const centre = emit('Mul', [emit('Add', [emit('Range', [first, end, float64(1)]), half]), scale]);
  const low = emit('Max', [emit('Floor', [emit('Add', [emit('Sub', [centre, support]), half])]), float64(0)]);
  const high = emit('Min', [emit('Floor', [emit('Add', [emit('Add', [centre, support]), half])]), from]);
  const most = emit('Add', [emit('Mul', [emit('Ceil', [support]), float64(2)]), float64(1)]);
  const column = int64([-1, 1], [2]);
  const tap = emit('Reshape', [emit('Range', [float64(0), most, float64(1)]), column]);
  const position = emit('Add', [low, tap]);
  const away = emit('Div', [emit('Add', [emit('Sub', [position, centre]), half]), width]);
  const inside = double(emit('Less', [position, high]));
  const shares = emit('Mul', [filters[interpolation](parts, emit('Abs', [away])), inside]);
  const sum = emit('ReduceSum', [shares, int64([0], [1])], { keepdims: 1 });
  const exact = emit('Mul', [emit('Div', [shares, sum]), float64(2 ** weightBits)]);
  const magnitude = emit('Floor', [emit('Add', [emit('Abs', [exact]), half])]);
  const rounded = emit('Cast', [emit('Mul', [emit('Sign', [exact]), magnitude])], { to: onnxDataTypes.int32 });
  const last = emit('Sub', [from, float64(1)]);
  return {
    taps: emit('Cast', [most], { to: onnxDataTypes.int64 }),
    places: emit('Cast', [emit('Min', [position, last])], { to: onnxDataTypes.int64 }),
    weights: emit('Unsqueeze', [rounded, int64([2, 3, 4], [3])]),
  };
}

/** How much an input counts by its distance, float64: see `data/resize.ts`. */
const filters: Readonly<Record<Interpolation, (parts: OnnxParts, distance: string) => string>> = {
  bilinear: ({ emit, float64 }, distance) => emit('Max', [emit('Sub', [float64(1), distance]), float64(0)]),
  bicubic: ({ emit, float64 }, distance) => {
    const polynomial = (...factors: readonly number[]) =>
      factors.slice(1).reduce(
        (value, factor) => {
          return emit('Add', [emit('Mul', [value, distance]), float64(factor)]);
        },
        float64(factors[0] ?? 0),
      );
    const near = polynomial(1.5, -2.5, 0, 1);
    const far = polynomial(-0.5, 2.5, -4, 2);
    const beyondOne = emit('Where', [emit('Less', [distance, float64(2)]), far, float64(0)]);
    return emit('Where', [emit('Less', [distance, float64(1)]), near, beyondOne]);
  },
  lanczos: (parts, distance) => {
    const { emit, float64 } = parts;
    const third = emit('Div', [distance, float64(3)]);
    const product = emit('Mul', [sinc(parts, distance), sinc(parts, third)]);
    return emit('Where', [emit('Less', [distance, float64(3)]), product, float64(0)]);
  },
};

function sinc({ emit, float64 }: OnnxParts, value: string): string {
  const angle = emit('Mul', [value, float64(Math.PI)]);
  const isZero = emit('Equal', [value, float64(0)]);
  const divisor = emit('Where', [isZero, float64(1), angle]);
  return emit('Where', [isZero, float64(1), emit('Div', [emit('Sin', [angle]), divisor])]);
}
