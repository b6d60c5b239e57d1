import { imageShape } from '../../graph/builder.ts';
import type { Pair } from '../../graph/geometry.ts';
import {
  blocked,
  blockedDomain,
  channelsLast,
  exchangeBlocks,
  heldFromPlain,
  isBlocked,
  plain,
} from '../../lowering/blocked/blockedLayout.ts';
import { convolutionAttributes } from '../../lowering/convolutionAttributes.ts';
import type { Lowering } from '../../lowering/lowering.ts';
import { mapsInBlocks } from './depthwiseOverImages.ts';
import { weightGradientByConvolution, weightGradientByTap, type WeightGradientNode } from './weightGradientForms.ts';

/*
 * dw of a convolution as a convolution of another kind, so that the fastest kernel there is does the work. It sums over
 * images and pixels, so these become the channels that go in: one block holds the same pixel of B images. One side's
 * channels are the filters, the other side's lie side by side as pixels of a row, once for each vertical tap; the
 * horizontal taps are the rows that come out.
 *
 *     input   [h, n/B, w, (kh, s), B of n]       from the image whose channels lie in rows, "s" or "(s/B, B of s)"
 *     filters [f/B, h, n/B, w, B of n, B of f]   from the other, "f": a kernel of one column, as high as its map is wide
 *     output  [f/B, kw, (kh, s), B of f]
 *
 * A blocked image needs a gather of its pixels to become filters: along the rows of the map, which lie in memory in this
 * order. Figures are in bench/NOTES.md.
 */

/** Lowers dw to the order in which a blocked model holds weights. `x` may be plain where it has few channels. */
export function lowerBlockedWeightGradient(lowering: Lowering, node: WeightGradientNode): void {
  if (node.attributes.groups > 1) {
    depthwise(lowering, node);
    return;
  }
  const [x = '', dy = ''] = node.inputs;
  const [n, , h, w] = imageShape(lowering.graph, dy);
  const dilated = node.attributes.dilation[0] !== 1 || node.attributes.dilation[1] !== 1;
  const isPointwise = hasOnePixel(node) && isBlocked(lowering, x);
  const inBlocks = (isPointwise ? n * h * w : n) % lowering.block === 0;
  if (!inBlocks || dilated) plainWeightGradient(lowering, node);
  else if (isPointwise) pointwise(lowering, node);
  else if (isReversible(lowering, node)) reversed(lowering, node);
  else forward(lowering, node);
}

/**
 * A kernel for each channel: each map of dy is one over its map of x, for all images and channels at once, with stride
 * and dilation exchanged; then the sum over the images.
 */
function depthwise(lowering: Lowering, node: WeightGradientNode): void {
  const { emit, integers, block } = lowering;
  const [x = '', dy = ''] = node.inputs;
  const { weightShape } = node.attributes;
  const [, , kh = 1, kw = 1] = weightShape;
  const [n, channels] = imageShape(lowering.graph, x);
  const { product, size } = correlateMaps(lowering, node, blocked(lowering, x), blocked(lowering, dy));
  const taps = emit('Reshape', [product, integers([n, channels / block, size[0], size[1] * block])]);
  // Behind the last tap that a kernel has, the image may go on.
  const isWhole = size[0] === kh && size[1] === kw;
  const own = isWhole ? taps : emit('Slice', [taps, integers([0, 0]), integers([kh, kw * block]), integers([2, 3])]);
  const sum = emit('ReduceSum', [own, integers([0])], { keepdims: 0 });
  emit('Reshape', [sum, integers(weightShape)], {}, node.outputs[0]);
}

/** The same from plain images, in torch's order: depthwiseOverImages.ts. */
export function depthwiseOverImages(lowering: Lowering, node: WeightGradientNode): void {
  const { emit, integers } = lowering;
  const [x = '', dy = ''] = node.inputs;
  const { weightShape } = node.attributes;
  const [, , kh = 1, kw = 1] = weightShape;
  const [n, channels] = imageShape(lowering.graph, x);
  const { product } = correlateMaps(lowering, node, mapsInBlocks(lowering, x), mapsInBlocks(lowering, dy));
  const taps = emit('ReorderOutput', [product], { domain: blockedDomain, channels: n * channels });
  const own = emit('Slice', [taps, integers([0, 0]), integers([kh, kw]), integers([2, 3])]);
  const sum = emit('ReduceSum', [emit('Reshape', [own, integers([n, ...weightShape])]), integers([0])], {
    keepdims: 0,
  });
  emit('Reshape', [sum, integers(weightShape)], {}, node.outputs[0]);
}

/** Each map of x by its map of dy, both in blocks: `[1, N C, rows, columns]`, of which the first are a kernel's taps. */
function correlateMaps(
  lowering: Lowering,
  node: WeightGradientNode,
  x: string,
  dy: string,
): { product: string; size: Pair } {
  const { emit, integers } = lowering;
  const { stride, padding, dilation } = node.attributes;
  const [n, channels, height, width] = imageShape(lowering.graph, node.inputs[0] ?? '');
  const [, , outHeight, outWidth] = imageShape(lowering.graph, node.inputs[1] ?? '');
  const maps = emit('Reshape', [x, integers([1, n * channels, height, width])]);
  const kernels = emit('Reshape', [dy, integers([n * channels, 1, outHeight, outWidth])]);
  const geometry = { stride: dilation, padding, dilation: stride, groups: n * channels };
  const attributes = { domain: blockedDomain, ...convolutionAttributes(geometry, [outHeight, outWidth]) };
  const size = (length: number, out: number, axis: 0 | 1) =>
    Math.floor((length + 2 * padding[axis] - stride[axis] * (out - 1) - 1) / dilation[axis]) + 1;
  const product = emit('Conv', [maps, kernels], attributes);
  return { product, size: [size(height, outHeight, 0), size(width, outWidth, 1)] };
}

function plainWeightGradient(lowering: Lowering, node: WeightGradientNode): void {
  const [x = '', dy = ''] = node.inputs;
  const gradient = isBlocked(lowering, x)
    ? weightGradientByTap(lowering, node, channelsLast(lowering, x), plain(lowering, dy))
    : weightGradientByConvolution(lowering, node, x, plain(lowering, dy));
  heldFromPlain(lowering, gradient, node.attributes.weightShape, node.outputs[0]);
}

function hasOnePixel({ attributes: { weightShape, stride, padding } }: WeightGradientNode): boolean {
  const sizes = [...weightShape.slice(2), ...stride];
  return sizes.every((size) => size === 1) && padding.every((size) => size === 0);
}

/** Whether dy may be moved over x instead of x over dy; worth it where x has more channels, which make better filters. */
function isReversible(lowering: Lowering, node: WeightGradientNode): boolean {
  const [outputs = 1, inputs = 1, kh = 1, kw = 1] = node.attributes.weightShape;
  const unitStride = node.attributes.stride[0] === 1 && node.attributes.stride[1] === 1;
  const reaches = node.attributes.padding[0] < kh && node.attributes.padding[1] < kw;
  return inputs > outputs && isBlocked(lowering, node.inputs[0] ?? '') && unitStride && reaches;
}

/**
 * A 1x1 convolution sums over all pixels alike, so that all of them are channels that go in. The side with more channels
 * makes the filters, since that takes it a pass less, or none.
 */
function pointwise(lowering: Lowering, node: WeightGradientNode): void {
  const { emit, integers } = lowering;
  const [x = '', dy = ''] = node.inputs;
  const [outputs = 1, inputs = 1] = node.attributes.weightShape;
  const isExchanged = inputs > outputs;
  const [filters, moved] = isExchanged ? [x, dy] : [dy, x];
  const product = correlatePixels(lowering, { filters, moved });
  if (isExchanged) exchangeProduct(lowering, product, node, 1);
  else emit('Reshape', [product, integers(node.attributes.weightShape)], {}, node.outputs[0]);
}

/**
 * For each pair of channels the sum over images and pixels of `filters[n, f, p] * moved[n, s, p]`: `[f/B, s, B of f]`. The
 * pixels are the channels of the convolution: those of each image its own group, which takes the filters as they lie, if they
 * are a number of blocks, else those of all images together.
 */
function correlatePixels(
  lowering: Lowering,
  { filters, moved }: { readonly filters: string; readonly moved: string },
): string {
  const { emit, integers, block } = lowering;
  const [n, f, h, w] = imageShape(lowering.graph, filters);
  const [, s] = imageShape(lowering.graph, moved);
  const groups = (h * w) % block === 0 ? n : 1;
  const pixels = (n / groups) * h * w;
  const inBlocks = exchangeBlocks(lowering, blocksOfImages(lowering, moved, n / groups));
  const rows = exchangeMiddle(lowering, inBlocks, [groups, s / block, pixels / block, block * block]);
  const input = emit('Reshape', [rows, integers([1, n * h * w, s, 1])]);
  const kernels = emit('Reshape', [
    blocksOfImages(lowering, filters, n / groups),
    integers([groups * f, pixels, 1, 1]),
  ]);
  const products = emit('Conv', [input, kernels], { ...convolution([1, 1]), group: groups, domain: blockedDomain });
  if (groups === 1) return products;
  return emit('ReduceSum', [emit('Reshape', [products, integers([groups, f * s])]), integers([0])], { keepdims: 0 });
}

/** A blocked image whose blocks of channels lie together for so many images: `[n/count, C/B, count, h, w, B]`. */
function blocksOfImages(lowering: Lowering, value: string, count: number): string {
  const [n, channels, h, w] = imageShape(lowering.graph, value);
  const { block } = lowering;
  return exchangeMiddle(lowering, blocked(lowering, value), [n / count, count, channels / block, h * w * block]);
}

/** dy as filters over x. */
function forward(lowering: Lowering, node: WeightGradientNode): void {
  const { emit, integers, block } = lowering;
  const [x = '', dy = ''] = node.inputs;
  const [outputs = 1, inputs = 1, kh = 1, kw = 1] = node.attributes.weightShape;
  const { product, rows } = correlate(lowering, { filters: dy, moved: x, kernel: [kh, kw], geometry: node.attributes });
  // [O/B, kw, kh, I/B, B of I, B of O], or [O/B, kw, kh, I, B of O] from colours.
  const inner = inputs < block ? 1 : block;
  const groups = inputs / inner;
  const pieces = emit('Reshape', [product, integers([-1, inner * block])]);
  const order = lowering.indices(
    `taps last of ${node.attributes.weightShape.join()} from ${rows} rows`,
    (outputs / block) * groups * kh * kw,
    function* () {
      for (let o = 0; o < outputs / block; o++) {
        for (let i = 0; i < groups; i++) {
          for (let row = 0; row < kh; row++) {
            for (let column = 0; column < kw; column++) yield ((o * rows + column) * kh + row) * groups + i;
          }
        }
      }
    },
  );
  emit(
    'Reshape',
    [emit('Gather', [pieces, order], { axis: 0 }), integers(node.attributes.weightShape)],
    {},
    node.outputs[0],
  );
}

/** x as filters over dy: the taps come out backwards, and outputs and inputs exchanged. */
function reversed(lowering: Lowering, node: WeightGradientNode): void {
  const [x = '', dy = ''] = node.inputs;
  const [, , kh = 1, kw = 1] = node.attributes.weightShape;
  const padding = [kh - 1 - node.attributes.padding[0], kw - 1 - node.attributes.padding[1]] as const;
  const geometry = { stride: [1, 1], padding } as const;
  const { product, rows } = correlate(lowering, { filters: x, moved: dy, kernel: [kh, kw], geometry });
  exchangeProduct(lowering, product, node, rows);
}

/** dw from a product `[I/B, rows, kh, O, B of I]` with x as filters, whose taps are backwards. */
function exchangeProduct(lowering: Lowering, product: string, node: WeightGradientNode, rows: number): void {
  const { emit, integers, block } = lowering;
  const [outputs = 1, inputs = 1, kh = 1, kw = 1] = node.attributes.weightShape;
  const pieces = emit('Reshape', [exchangeBlocks(lowering, product), integers([-1, block * block])]);
  const order = lowering.indices(
    `reversed ${node.attributes.weightShape.join()} from ${rows} rows`,
    (outputs * inputs * kh * kw) / block ** 2,
    function* () {
      for (let o = 0; o < outputs / block; o++) {
        for (let i = 0; i < inputs / block; i++) {
          for (let row = kh - 1; row >= 0; row--) {
            for (let column = kw - 1; column >= 0; column--)
              yield (((i * rows + column) * kh + row) * outputs) / block + o;
          }
        }
      }
    },
  );
  emit(
    'Reshape',
    [emit('Gather', [pieces, order], { axis: 0 }), integers(node.attributes.weightShape)],
    {},
    node.outputs[0],
  );
}

interface Correlation {
  readonly filters: string;
  readonly moved: string;
  readonly kernel: readonly [number, number];
  readonly geometry: {
    readonly stride: readonly [number, number];
    readonly padding: readonly [number, number];
  };
}

/** At most so many bytes of rows are gathered at once; all of a large batch's would be a step's largest value. */
const gatheredUpTo = 96 * 2 ** 20;

/**
 * For each tap and pair of channels the sum over images and pixels of `filters[n, f, h, w] * moved[n, s, sh * h + r - ph,
 * sw * w + c - pw]`: `[f/B, rows, kh, s, B of f]`, of whose rows the first kw are the taps. Slices of the maps' rows are
 * summed one after the other.
 */
function correlate(lowering: Lowering, correlation: Correlation): { product: string; rows: number } {
  const { emit, integers, block } = lowering;
  const { filters, moved, kernel, geometry } = correlation;
  const [n, , lines, filterWidth] = imageShape(lowering.graph, filters);
  const [, s, height, width] = imageShape(lowering.graph, moved);
  const [kh, kw] = kernel;
  const [ph, pw] = geometry.padding;
  const sets = isBlocked(lowering, moved) ? s / block : 1;
  const pixels = emit('Reshape', [
    isBlocked(lowering, moved) ? setsInBlocks(lowering, moved, ph) : imagesInBlocks(lowering, moved, ph),
    integers([(n / block) * sets * (height + 2 * ph) * width, (s / sets) * block]),
  ]);
  const reach = width + pw - geometry.stride[1] * (filterWidth - 1);
  const after = Math.max(0, kw - reach);
  let count = lines;
  const gathered = n * width * kh * s * Float32Array.BYTES_PER_ELEMENT;
  while (count * gathered > gatheredUpTo && count % 2 === 0) count /= 2;
  const products = Array.from({ length: lines / count }, (_, slice) =>
    correlateLines(lowering, correlation, { pixels, sets, after, first: slice * count, count }),
  );
  return { product: products.reduce((sum, product) => emit('Add', [sum, product])), rows: reach + after };
}

/**
 * Rows of the filters' image, the `pixels` that they meet, of whose channels there are so many sets, and how many columns of
 * zeros follow these.
 */
interface Lines {
  readonly first: number;
  readonly count: number;
  readonly pixels: string;
  readonly sets: number;
  readonly after: number;
}

/** The part of the sum that some of the maps' rows make, as `[values]` or `[1, values]`. */
function correlateLines(
  lowering: Lowering,
  { filters, moved, kernel: [kh, kw], geometry }: Correlation,
  { first, count, pixels, sets, after }: Lines,
): string {
  const { emit, integers, block } = lowering;
  const [n, f, , filterWidth] = imageShape(lowering.graph, filters);
  const [, s, height, width] = imageShape(lowering.graph, moved);
  const [sh, sw] = geometry.stride;
  const [ph, pw] = geometry.padding;
  const padded = height + 2 * ph;
  const seen = lowering.indices(
    `${count} rows from ${first} on, ${[n, sets, padded, width, sh, kh].join()}`,
    count * (n / block) * width * kh * sets,
    function* () {
      for (let h = first; h < first + count; h++) {
        for (let images = 0; images < n / block; images++) {
          for (let column = 0; column < width; column++) {
            for (let tap = 0; tap < kh; tap++) {
              for (let set = 0; set < sets; set++)
                yield ((images * sets + set) * padded + h * sh + tap) * width + column;
            }
          }
        }
      }
    },
  );
  const input = emit('Reshape', [emit('Gather', [pixels, seen], { axis: 0 }), integers([1, count * n, width, kh * s])]);
  const groups = evenGroups(f, kw, count, block);
  const kernels = emit('Reshape', [
    filtersOfLines(lowering, filters, { first, count, groups }),
    integers([groups * f, (count / groups) * n, filterWidth, 1]),
  ]);
  const attributes = {
    ...convolution([filterWidth, 1]),
    pads: [pw, 0, after, 0],
    dilations: [sw, 1],
    group: groups,
    domain: blockedDomain,
  };
  const parts = emit('Reshape', [emit('Conv', [input, kernels], attributes), integers([groups, -1])]);
  return groups === 1 ? parts : emit('ReduceSum', [parts, integers([0])], { keepdims: 0 });
}

function convolution(kernel: readonly [number, number]) {
  return { kernel_shape: kernel, strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], group: 1 };
}

/** ONNX Runtime's convolution computes so many filter blocks at once. */
const filterBlocksAtOnce = 4;

/**
 * The kernel is shared out by rows and sets of filters. Where these are odd, two threads would wait for each other:
 * then the maps' rows are summed in two groups.
 */
function evenGroups(filters: number, rows: number, lines: number, block: number): number {
  const parts = Math.ceil(filters / (block * filterBlocksAtOnce)) * rows;
  return parts % 2 === 1 && lines % 2 === 0 ? 2 : 1;
}

/** A plain image `[n/B, h, w, channels, B of n]` with `padding` rows of zeros above and below. */
function imagesInBlocks(lowering: Lowering, value: string, padding: number): string {
  const { emit, integers } = lowering;
  const [n, channels, h, w] = imageShape(lowering.graph, value);
  const wider = padding === 0 ? value : emit('Pad', [value, integers([0, 0, padding, 0, 0, 0, padding, 0])]);
  const last = emit('Transpose', [wider], { perm: [0, 2, 3, 1] });
  const images = emit('Reshape', [last, integers([1, n, h + 2 * padding, w * channels])]);
  return emit('ReorderInput', [images], { domain: blockedDomain });
}

/** A blocked image `[n/B, channels/B, h, w, B of channels, B of n]` with `padding` rows of zeros above and below. */
function setsInBlocks(lowering: Lowering, value: string, padding: number): string {
  const { emit, floats, integers, block } = lowering;
  const [n, channels, h, w] = imageShape(lowering.graph, value);
  let wider = blocked(lowering, value);
  if (padding > 0) {
    // A convolution by ones is the only operator that pads on all cores.
    wider = emit('Conv', [wider, floats(new Array<number>(channels).fill(1), [channels, 1, 1, 1])], {
      ...convolution([1, 1]),
      pads: [padding, 0, padding, 0],
      group: channels,
      domain: blockedDomain,
    });
  }
  const images = emit('Reshape', [wider, integers([1, n, (channels / block) * (h + 2 * padding), w * block])]);
  return emit('ReorderInput', [images], { domain: blockedDomain });
}

/** `[a, b, c, row]` as `[a, c, b, row]`, the value itself where that is the same. */
function exchangeMiddle(
  lowering: Lowering,
  value: string,
  [a, b, c, row]: readonly [a: number, b: number, c: number, row: number],
): string {
  const { emit, integers } = lowering;
  if (b === 1 || c === 1) return value;
  const order = lowering.indices(`middle of ${[a, b, c].join()} exchanged`, a * b * c, function* () {
    for (let i = 0; i < a; i++) {
      for (let k = 0; k < c; k++) for (let j = 0; j < b; j++) yield (i * b + j) * c + k;
    }
  });
  return emit('Gather', [emit('Reshape', [value, integers([a * b * c, row])]), order], { axis: 0 });
}

/** Rows of a blocked image as filters `[groups, f/B, count / groups, n/B, w, B of n, B of f]`; the groups share them out. */
function filtersOfLines(
  lowering: Lowering,
  value: string,
  { first: from, count, groups }: { readonly first: number; readonly count: number; readonly groups: number },
): string {
  const { emit, integers, block } = lowering;
  const [n, f, h, w] = imageShape(lowering.graph, value);
  const share = count / groups;
  const name = `${count} rows from ${from} on in ${groups} groups of ${[n, f, h, w].join()} as filters`;
  const order = lowering.indices(name, (n * f * count * w) / block, function* () {
    for (let start = from; start < from + count; start += share) {
      for (let b = 0; b < f / block; b++) {
        for (let row = start; row < start + share; row++) {
          for (let first = 0; first < n; first += block) {
            for (let column = 0; column < w; column++) {
              for (let image = first; image < first + block; image++)
                yield (((image * f) / block + b) * h + row) * w + column;
            }
          }
        }
      }
    }
  });
  const pixels = emit('Reshape', [blocked(lowering, value), integers([(n * f * h * w) / block, block])]);
  return emit('Gather', [pixels, order], { axis: 0 });
}
