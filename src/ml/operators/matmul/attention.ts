import { parameter } from '../../graph/builder.ts';
import { typeOf, type GraphBuilder } from '../../graph/graph.ts';
import { softmax } from '../activation/softmax.ts';
import { affine } from '../elementwise/affine.ts';
import { add } from '../elementwise/arithmetic.ts';
import { constant } from '../movement/constant.ts';
import { gatherRows } from '../movement/gatherRows.ts';
import { reshape } from '../movement/reshape.ts';
import { joinWindows, partitionWindows, roll } from '../movement/shuffle.ts';
import { slice } from '../movement/slice.ts';
import { transpose } from '../movement/transpose.ts';
import { applyLinear, linear } from './linear.ts';
import { exchangeLast, matmul } from './matmul.ts';

/**
 * Attention of queries `[N, heads, T, d]` to keys and values `[N, heads, S, d]`: softmax(q k^T / sqrt(d) + bias) v (Vaswani
 * et al. 2017). `bias` broadcasts to `[N, heads, T, S]`. The result is `[N, heads, T, d]`.
 */
export function attention(
  builder: GraphBuilder,
  { query, key, value }: { readonly query: string; readonly key: string; readonly value: string },
  bias?: string,
): string {
  const size = typeOf(builder, query).shape.at(-1) ?? 1;
  const scaled = affine(builder, query, { scale: 1 / Math.sqrt(size) });
  const scores = matmul(builder, scaled, exchangeLast(builder, key));
  const weights = softmax(builder, bias === undefined ? scores : add(builder, scores, bias));
  return matmul(builder, weights, value);
}

/** Queries, keys and values of all heads from `[N, T, 3 D]`, each `[N, heads, T, D / heads]`. */
function splitHeads(builder: GraphBuilder, projected: string, heads: number) {
  const [n = 1, tokens = 1, size = 3] = typeOf(builder, projected).shape;
  const width = size / 3;
  const [query = '', key = '', value = ''] = [0, 1, 2].map((part) => {
    const own = slice(builder, projected, 2, part * width, (part + 1) * width);
    return transpose(builder, reshape(builder, own, [n, tokens, heads, width / heads]), [0, 2, 1, 3]);
  });
  return { query, key, value };
}

/** `[N, heads, T, d]` -> `[N, T, heads * d]` */
function joinHeads(builder: GraphBuilder, x: string): string {
  const [n = 1, heads = 1, tokens = 1, size = 1] = typeOf(builder, x).shape;
  return reshape(builder, transpose(builder, x, [0, 2, 1, 3]), [n, tokens, heads * size]);
}

/**
 * torch's MultiheadAttention of tokens to themselves, under the module name `name` with its parameters
 * (`in_proj_weight`, `in_proj_bias`, `out_proj`): `[N, T, D]` -> the same.
 */
export function multiheadSelfAttention(builder: GraphBuilder, name: string, x: string, heads: number): string {
  const size = typeOf(builder, x).shape.at(-1) ?? 1;
  const weight = parameter(builder, `${name}.in_proj_weight`, [3 * size, size]);
  const bias = parameter(builder, `${name}.in_proj_bias`, [3 * size]);
  const parts = splitHeads(builder, applyLinear(builder, x, weight, bias), heads);
  return linear(builder, `${name}.out_proj`, joinHeads(builder, attention(builder, parts)), size);
}

/** Options of an attention inside windows. */
export interface WindowAttentionOptions {
  readonly heads: number;
  /** Side of a window in tokens; height and width are multiples of it. */
  readonly window: number;
  /** By how many tokens the windows are moved down and right. */
  readonly shift: number;
}

/**
 * torchvision's ShiftedWindowAttention (Swin; Liu et al. 2021) under the module name `name` with its parameters
 * (`relative_position_bias_table`, `qkv`, `proj`): each token attends to those of its window, with a learned bias by
 * relative position. `[N, H, W, D]` -> the same.
 */
export function windowAttention(
  builder: GraphBuilder,
  name: string,
  x: string,
  { heads, window, shift }: WindowAttentionOptions,
): string {
  const [n = 1, h = 1, w = 1, size = 1] = typeOf(builder, x).shape;
  const [down, right] = [h > window ? shift : 0, w > window ? shift : 0];
  const table = parameter(builder, `${name}.relative_position_bias_table`, [(2 * window - 1) ** 2, heads]);
  const tokens = window * window;
  const pairs = gatherRows(builder, table, relativePositions(window));
  const byHead = transpose(builder, reshape(builder, pairs, [tokens, tokens, heads]), [2, 0, 1]);
  const bias = reshape(builder, byHead, [1, 1, heads, tokens, tokens]);
  const moved = roll(builder, roll(builder, x, 1, -down), 2, -right);
  const windows = partitionWindows(builder, moved, window);
  const parts = splitHeads(builder, linear(builder, `${name}.qkv`, windows, 3 * size), heads);
  const count = (h / window) * (w / window);
  const mask = down + right === 0 ? undefined : shiftMask([h, w], window, [down, right]);
  const whole = mask === undefined ? bias : add(builder, bias, constant(builder, [1, count, 1, tokens, tokens], mask));
  const grouped = mask === undefined ? [1, heads, tokens, tokens] : [count, heads, tokens, tokens];
  const attended = attendInWindows(builder, parts, reshape(builder, whole, grouped), [n, count, heads, tokens]);
  const projected = linear(builder, `${name}.proj`, joinHeads(builder, attended), size);
  const joined = joinWindows(builder, projected, window, [n, h, w]);
  return roll(builder, roll(builder, joined, 1, down), 2, right);
}

/** Attention whose bias is the same for every image: the windows of all images side by side. */
function attendInWindows(
  builder: GraphBuilder,
  parts: { readonly query: string; readonly key: string; readonly value: string },
  bias: string,
  [n, count, heads, tokens]: readonly [number, number, number, number],
): string {
  const [biases = 1] = typeOf(builder, bias).shape;
  if (biases === 1) return attention(builder, parts, bias);
  const size = typeOf(builder, parts.query).shape.at(-1) ?? 1;
  const apart = (value: string) => reshape(builder, value, [n, count, heads, tokens, size]);
  const { query, key, value } = parts;
  const attended = attention(builder, { query: apart(query), key: apart(key), value: apart(value) }, bias);
  return reshape(builder, attended, [n * count, heads, tokens, size]);
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
