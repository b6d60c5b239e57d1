import { type Preprocessing, seesWholeImage } from '../../protocol/preprocessing.ts';
import { pixelConstants } from '../graph/pixelConstants.ts';
import { onnxDataTypes } from '../onnx/onnxModel.ts';
import type { OnnxParts } from './onnxParts.ts';
import { resizeAxis } from './resizePart.ts';

/** How decoded pixels come in: uint8 `[H, W, 3]`, one image, or `[N, 3, H, W]`. */
export type PixelLayout = 'hwc' | 'nchw';

/**
 * Pixels of any size, RGB, become what a network takes: resized, cropped or padded, normalised. Gives `output`, float32
 * `[crops * N, 3, S, S]`, the first crop of all images before the second, in the order of `data/fiveCrops.ts`.
 */
export function preparePixels(
  parts: OnnxParts,
  pixels: string,
  layout: PixelLayout,
  preprocessing: Preprocessing,
  crops: 1 | 5,
  output: string,
): void {
  const { emit, int64, float32 } = parts;
  const columnsFirst =
    layout === 'hwc'
      ? emit('Unsqueeze', [emit('Transpose', [pixels], { perm: [1, 0, 2] }), int64([2], [1])])
      : emit('Transpose', [pixels], { perm: [3, 2, 0, 1] });
  const squares = seesWholeImage(preprocessing.fit)
    ? [wholeSquare(parts, columnsFirst, preprocessing)]
    : crops === 1
      ? [centreSquare(parts, columnsFirst, preprocessing)]
      : fiveSquares(parts, columnsFirst, preprocessing);
  const batches = squares.map((square) => emit('Transpose', [square], { perm: [2, 3, 0, 1] }));
  const batch = batches.length === 1 ? (batches[0] ?? '') : emit('Concat', batches, { axis: 0 });
  const { scale, shift, order } = pixelConstants(preprocessing);
  const ordered = emit('Gather', [batch, int64(order, [3])], { axis: 1 });
  const values = emit('Cast', [ordered], { to: onnxDataTypes.float32 });
  const scaled = emit('Mul', [values, float32(scale, [1, 3, 1, 1])]);
  emit('Add', [scaled, float32(shift, [1, 3, 1, 1])], {}, output);
}

/** Width and height of the image and of the resized image, int64 scalars; see `resizedSize`. */
function sizes({ emit, int64 }: OnnxParts, columnsFirst: string, { resize, fit = 'crop' }: Preprocessing) {
  const shape = emit('Shape', [columnsFirst]);
  const size = (axis: number) => emit('Gather', [shape, int64([axis])], { axis: 0 });
  const [width, height] = [size(0), size(1)];
  const given = emit(fit === 'pad' ? 'Max' : 'Min', [width, height]);
  const resized = (length: string) =>
    fit === 'squash'
      ? int64([resize])
      : emit('Max', [emit('Div', [emit('Mul', [length, int64([resize])]), given]), int64([1])]);
  return { width: resized(width), height: resized(height) };
}

/** uint8 `[W, H, N, 3]`, all of it resized, as `[H, W, N, 3]`: rows first, as Pillow. */
function resizeWhole(parts: OnnxParts, columnsFirst: string, preprocessing: Preprocessing) {
  const { width, height } = sizes(parts, columnsFirst, preprocessing);
  const { interpolation = 'bilinear' } = preprocessing;
  const narrowed = resizeAxis(parts, columnsFirst, width, interpolation);
  const rowsFirst = parts.emit('Transpose', [narrowed], { perm: [1, 0, 2, 3] });
  return { image: resizeAxis(parts, rowsFirst, height, interpolation), width, height };
}

/** The centre alone: nothing else is computed. */
function centreSquare(parts: OnnxParts, columnsFirst: string, preprocessing: Preprocessing): string {
  const { emit, int64 } = parts;
  const { interpolation = 'bilinear', crop } = preprocessing;
  const { width, height } = sizes(parts, columnsFirst, preprocessing);
  const window = (length: string) => ({ first: centreOffset(parts, length, crop), count: int64([crop]) });
  const narrowed = resizeAxis(parts, columnsFirst, width, interpolation, window(width));
  const rowsFirst = emit('Transpose', [narrowed], { perm: [1, 0, 2, 3] });
  return resizeAxis(parts, rowsFirst, height, interpolation, window(height));
}

function fiveSquares(parts: OnnxParts, columnsFirst: string, preprocessing: Preprocessing): string[] {
  const { emit, int64 } = parts;
  const { crop } = preprocessing;
  const { image, width, height } = resizeWhole(parts, columnsFirst, preprocessing);
  const [zero, size] = [int64([0]), int64([crop])];
  const [right, bottom] = [emit('Sub', [width, size]), emit('Sub', [height, size])];
  const square = (top: string, left: string) => cut(parts, image, top, left, crop);
  return [
    square(centreOffset(parts, height, crop), centreOffset(parts, width, crop)),
    square(zero, zero),
    square(bottom, zero),
    square(bottom, right),
    square(zero, right),
  ];
}

/** `[size, size, N, 3]` from a place on. */
function cut({ emit, int64 }: OnnxParts, image: string, top: string, left: string, size: number): string {
  const one = int64([1], [1]);
  const start = emit('Concat', [emit('Reshape', [top, one]), emit('Reshape', [left, one])], { axis: 0 });
  const end = emit('Add', [start, int64([size])]);
  return emit('Slice', [image, start, end, int64([0, 1], [2])]);
}

/** Where torchvision's `CenterCrop` begins: halves go to the even neighbour. */
function centreOffset({ emit, int64, float32 }: OnnxParts, length: string, size: number): string {
  const difference = emit('Cast', [emit('Sub', [length, int64([size])])], { to: onnxDataTypes.float32 });
  const rounded = emit('Round', [emit('Mul', [difference, float32([0.5])])]);
  return emit('Cast', [rounded], { to: onnxDataTypes.int64 });
}

/** The whole image, with black beside it where it is smaller than the square. */
function wholeSquare(parts: OnnxParts, columnsFirst: string, preprocessing: Preprocessing): string {
  const { emit, int64 } = parts;
  const { crop } = preprocessing;
  const { image, width, height } = resizeWhole(parts, columnsFirst, preprocessing);
  const one = int64([1], [1]);
  const size = emit('Concat', [emit('Reshape', [height, one]), emit('Reshape', [width, one])], { axis: 0 });
  const missing = emit('Max', [emit('Sub', [int64([crop]), size]), int64([0])]);
  const before = emit('Div', [missing, int64([2])]);
  const after = emit('Sub', [missing, before]);
  const none = int64([0, 0], [2]);
  const padded = emit('Pad', [image, emit('Concat', [before, none, after, none], { axis: 0 })]);
  const side = (axis: number) => emit('Gather', [emit('Shape', [padded]), int64([axis])], { axis: 0 });
  const offset = (axis: number) => centreOffset(parts, side(axis), crop);
  return cut(parts, padded, offset(0), offset(1), crop);
}
