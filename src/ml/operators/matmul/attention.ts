import { parameter } from '../../graph/builder.ts';
import { typeOf, type GraphBuilder } from '../../graph/graph.ts';
import { softmax } from '../activation/softmax.ts';
import { affine } from '../elementwise/affine.ts';
import { add, mul } from '../elementwise/arithmetic.ts';
import { clip, exp } from '../elementwise/unary.ts';
import { reshape } from '../movement/reshape.ts';
import { slice } from '../movement/slice.ts';
import { transpose } from '../movement/transpose.ts';
import { toUnitLength } from '../norm/unitLength.ts';
import { applyLinear, linear } from './linear.ts';
import { exchangeLast, matmul } from './matmul.ts';

/** Queries `[N, heads, T, d]`, keys and values `[N, heads, S, d]`. */
export interface AttentionParts {
  readonly query: string;
  readonly key: string;
  readonly value: string;
}

/**
 * Attention: softmax(scale * q k^T + bias) v, `[N, heads, T, d]` (Vaswani et al. 2017). `scale` is 1 / sqrt(d) by default,
 * `bias` broadcasts to `[N, heads, T, S]`.
 */
export function attention(
  builder: GraphBuilder,
  { query, key, value }: AttentionParts,
  { bias, scale }: { readonly bias?: string | undefined; readonly scale?: number } = {},
): string {
  const size = typeOf(builder, query).shape.at(-1) ?? 1;
  const scaled = affine(builder, query, { scale: scale ?? 1 / Math.sqrt(size) });
  return attend(builder, matmul(builder, scaled, exchangeLast(builder, key)), value, bias);
}

/** The logarithm of the largest factor that cosines are multiplied by. */
const largestLogScale = Math.log(100);

/**
 * Swin V2's attention by the cosine of queries and keys (Liu et al. 2021): softmax(exp(logScale) * cos(q, k) + bias) v.
 * `logScale` is `[heads, 1, 1]`, and counts up to log 100.
 */
export function cosineAttention(
  builder: GraphBuilder,
  { query, key, value }: AttentionParts,
  logScale: string,
  bias: string,
): string {
  const cosines = matmul(builder, toUnitLength(builder, query), exchangeLast(builder, toUnitLength(builder, key)));
  const scale = exp(builder, clip(builder, logScale, -Infinity, largestLogScale));
  return attend(builder, mul(builder, cosines, scale), value, bias);
}

function attend(builder: GraphBuilder, scores: string, value: string, bias: string | undefined): string {
  return matmul(builder, softmax(builder, bias === undefined ? scores : add(builder, scores, bias)), value);
}

/** Queries, keys and values of all heads from `[N, T, 3 D]`, each `[N, heads, T, D / heads]`. */
export function splitHeads(builder: GraphBuilder, projected: string, heads: number): AttentionParts {
  const width = (typeOf(builder, projected).shape[2] ?? 3) / 3;
  const [query = '', key = '', value = ''] = [0, 1, 2].map((part) =>
    toHeads(builder, slice(builder, projected, 2, part * width, (part + 1) * width), heads),
  );
  return { query, key, value };
}

/** `[N, T, D]` -> `[N, heads, T, D / heads]` */
export function toHeads(builder: GraphBuilder, x: string, heads: number): string {
  const [n = 1, tokens = 1, size = 1] = typeOf(builder, x).shape;
  return transpose(builder, reshape(builder, x, [n, tokens, heads, size / heads]), [0, 2, 1, 3]);
}

/** `[N, heads, T, d]` -> `[N, T, heads * d]` */
export function joinHeads(builder: GraphBuilder, x: string): string {
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
