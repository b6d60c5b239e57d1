import { parameter } from '../../graph/builder.ts';
import { typeOf, type GraphBuilder } from '../../graph/graph.ts';
import { relu } from '../activation/relu.ts';
import { affine } from '../elementwise/affine.ts';
import { add } from '../elementwise/arithmetic.ts';
import { sigmoid } from '../elementwise/unary.ts';
import { concat } from '../movement/concat.ts';
import { constant } from '../movement/constant.ts';
import { gatherRows } from '../movement/gatherRows.ts';
import { reshape } from '../movement/reshape.ts';
import { joinWindows, partitionWindows, roll } from '../movement/shuffle.ts';
import { pad, slice } from '../movement/slice.ts';
import { transpose } from '../movement/transpose.ts';
import { attention, cosineAttention, joinHeads, splitHeads, type AttentionParts } from './attention.ts';
import { applyLinear, linear } from './linear.ts';

/** Options of an attention inside windows. */
export interface WindowAttentionOptions {
  readonly heads: number;
  /** Side of a window in tokens. */
  readonly window: number;
  /** By how many tokens the windows are moved down and right. */
  readonly shift: number;
}

/**
 * torchvision's ShiftedWindowAttention (Swin; Liu et al. 2021) under the module name `name` with its parameters
 * (`relative_position_bias_table`, `qkv`, `proj`): each token attends to those of its window, with a learned bias by
 * relative position. `[N, H, W, D]` -> the same; what does not fill windows is padded with zeros.
 */
export function windowAttention(
  builder: GraphBuilder,
  name: string,
  x: string,
  { heads, window, shift }: WindowAttentionOptions,
): string {
  const size = typeOf(builder, x).shape.at(-1) ?? 1;
  const table = parameter(builder, `${name}.relative_position_bias_table`, [(2 * window - 1) ** 2, heads]);
  const bias = biasByPosition(builder, table, window);
  return inWindows(builder, x, { window, shift }, bias, (windows, attend) => {
    const parts = splitHeads(builder, linear(builder, `${name}.qkv`, windows, 3 * size), heads);
    const attended = attend(parts, (own, biases) => attention(builder, own, { bias: biases }));
    return linear(builder, `${name}.proj`, joinHeads(builder, attended), size);
  });
}

/** Size of the hidden layer that makes biases of positions. */
const positionUnits = 512;

/**
 * torchvision's ShiftedWindowAttentionV2 (Swin V2; Liu et al. 2021) under the module name `name` with its parameters
 * (`logit_scale`, `qkv`, `proj`, `cpb_mlp`): attention by cosines, with a bias that a small network makes of relative
 * positions, and keys without a bias. `[N, H, W, D]` -> the same.
 */
export function cosineWindowAttention(
  builder: GraphBuilder,
  name: string,
  x: string,
  { heads, window, shift }: WindowAttentionOptions,
): string {
  const size = typeOf(builder, x).shape.at(-1) ?? 1;
  const logScale = parameter(builder, `${name}.logit_scale`, [heads, 1, 1]);
  const weight = parameter(builder, `${name}.qkv.weight`, [3 * size, size]);
  const wholeBias = parameter(builder, `${name}.qkv.bias`, [3 * size]);
  const [queryBias, valueBias] = [0, 2].map((part) => slice(builder, wholeBias, 0, part * size, (part + 1) * size));
  const noBias = constant(builder, [size], new Array<number>(size).fill(0));
  const projectionBias = concat(builder, [queryBias ?? '', noBias, valueBias ?? ''], 0);
  const projectedWeight = parameter(builder, `${name}.proj.weight`, [size, size]);
  const projectedBias = parameter(builder, `${name}.proj.bias`, [size]);
  const places = constant(builder, [(2 * window - 1) ** 2, 2], logPositions(window));
  const hidden = relu(builder, linear(builder, `${name}.cpb_mlp.0`, places, positionUnits));
  const table = linear(builder, `${name}.cpb_mlp.2`, hidden, heads, false);
  // Of each position once: the sigmoid is the same before and after the rows are gathered.
  const bias = biasByPosition(builder, affine(builder, sigmoid(builder, table), { scale: 16 }), window);
  return inWindows(builder, x, { window, shift }, bias, (windows, attend) => {
    const parts = splitHeads(builder, applyLinear(builder, windows, weight, projectionBias), heads);
    const attended = attend(parts, (own, biases) => cosineAttention(builder, own, logScale, biases));
    return applyLinear(builder, joinHeads(builder, attended), projectedWeight, projectedBias);
  });
}

type Attend = (parts: AttentionParts, attended: (parts: AttentionParts, bias: string) => string) => string;

/**
 * Cuts `[N, H, W, D]` into windows that are moved by `shift`, lets `layer` make something of them `[N * windows, T, D]`,
 * and puts that together again. `attend` calls an attention with the bias `[1, heads, T, T]`, under which tokens that
 * only the shift made neighbours do not see each other.
 */
function inWindows(
  builder: GraphBuilder,
  x: string,
  { window, shift }: Pick<WindowAttentionOptions, 'window' | 'shift'>,
  bias: string,
  layer: (windows: string, attend: Attend) => string,
): string {
  const [n = 1, height = 1, width = 1] = typeOf(builder, x).shape;
  const [h, w] = [Math.ceil(height / window) * window, Math.ceil(width / window) * window];
  const padded = h > height || w > width ? pad(builder, x, [0, 0, 0, 0], [0, h - height, w - width, 0]) : x;
  const [down, right] = [h > window ? shift : 0, w > window ? shift : 0];
  const windows = partitionWindows(builder, roll(builder, roll(builder, padded, 1, -down), 2, -right), window);
  const attend: Attend = (parts, attended) =>
    down + right === 0
      ? attended(parts, bias)
      : attendByWindow(builder, parts, bias, { mask: shiftMask([h, w], window, [down, right]), images: n }, attended);
  const joined = joinWindows(builder, layer(windows, attend), window, [n, h, w]);
  let y = roll(builder, roll(builder, joined, 1, down), 2, right);
  if (h > height) y = slice(builder, y, 1, 0, height);
  return w > width ? slice(builder, y, 2, 0, width) : y;
}

/** Attention with a mask for each window of an image, `[windows, T, T]`. */
function attendByWindow(
  builder: GraphBuilder,
  parts: AttentionParts,
  bias: string,
  { mask, images }: { readonly mask: readonly number[]; readonly images: number },
  attended: (parts: AttentionParts, bias: string) => string,
): string {
  const [all = 1, heads = 1, tokens = 1, size = 1] = typeOf(builder, parts.query).shape;
  const count = all / images;
  const apart = (value: string) => reshape(builder, value, [images, count, heads, tokens, size]);
  const masked = add(
    builder,
    reshape(builder, bias, [1, heads, tokens, tokens]),
    constant(builder, [count, 1, tokens, tokens], mask),
  );
  const { query, key, value } = parts;
  const y = attended({ query: apart(query), key: apart(key), value: apart(value) }, masked);
  return reshape(builder, y, [all, heads, tokens, size]);
}

/** The biases `[1, heads, T, T]` of pairs of tokens from those of relative positions `[(2 * window - 1)^2, heads]`. */
export function biasByPosition(builder: GraphBuilder, table: string, window: number): string {
  const heads = typeOf(builder, table).shape[1] ?? 1;
  const tokens = window * window;
  const pairs = reshape(builder, gatherRows(builder, table, relativePositions(window)), [tokens, tokens, heads]);
  return reshape(builder, transpose(builder, pairs, [2, 0, 1]), [1, heads, tokens, tokens]);
}

/** torchvision's `relative_coords_table`: relative rows and columns, from -8 to 8, by sign and logarithm of base 8. */
function logPositions(window: number): number[] {
  const steps = Array.from({ length: 2 * window - 1 }, (_, index) => {
    const place = (8 * (index - window + 1)) / (window - 1);
    return (Math.sign(place) * Math.log2(Math.abs(place) + 1)) / 3;
  });
  return steps.flatMap((row) => steps.flatMap((column) => [row, column]));
}

/** For each pair of tokens of a window, the row of the bias table: torchvision's `relative_position_index`. */
export function relativePositions(window: number): number[] {
  const places = Array.from(
    { length: window * window },
    (_, token) => [Math.floor(token / window), token % window] as const,
  );
  return places.flatMap(([row, column]) =>
    places.map(([otherRow, otherColumn]) => {
      return (row - otherRow + window - 1) * (2 * window - 1) + column - otherColumn + window - 1;
    }),
  );
}

/** `[windows, tokens, tokens]`: 0 for tokens that were neighbours before the shift, -100 for others, as torchvision has it. */
function shiftMask(
  [h, w]: readonly [number, number],
  window: number,
  [down, right]: readonly [number, number],
): number[] {
  const regionOf = (place: number, size: number, shift: number) =>
    shift === 0 || place < size - window ? 0 : place < size - shift ? 1 : 2;
  const values: number[] = [];
  for (let top = 0; top < h; top += window) {
    for (let left = 0; left < w; left += window) {
      const regions = Array.from({ length: window * window }, (_, token) => {
        const row = regionOf(top + Math.floor(token / window), h, down);
        return 3 * row + regionOf(left + (token % window), w, right);
      });
      for (const region of regions) for (const other of regions) values.push(region === other ? 0 : -100);
    }
  }
  return values;
}
