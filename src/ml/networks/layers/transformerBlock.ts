import { typeOf, type GraphBuilder } from '../../graph/graph.ts';
import { gelu } from '../../operators/activation/gelu.ts';
import { add, mul } from '../../operators/elementwise/arithmetic.ts';
import { attention, type AttentionParts, joinHeads } from '../../operators/matmul/attention.ts';
import { applyLinear, linear } from '../../operators/matmul/linear.ts';
import { reshape } from '../../operators/movement/reshape.ts';
import { slice } from '../../operators/movement/slice.ts';
import { transpose } from '../../operators/movement/transpose.ts';

/** Turns queries or keys `[N, heads, T, d]` by their positions, or does nothing else to them. */
type Rotate = (x: string) => string;

export interface SelfAttentionOptions {
  readonly heads: number;
  /** Weight `[3 D, D]` and bias `[3 D]` of queries, keys and values. */
  readonly weight: string;
  readonly bias?: string | undefined;
  readonly rotate?: Rotate | undefined;
  /** How many of the first tokens ask: the others are not needed of what comes out. All without it. */
  readonly asking?: number | undefined;
}

/** Attention of tokens `[N, T, D]` to themselves, ahead of the last projection: `[N, asking, D]`. */
export function selfAttention(builder: GraphBuilder, x: string, options: SelfAttentionOptions): string {
  const { heads, weight, bias, rotate = (value: string) => value, asking } = options;
  const [, , size = 1] = typeOf(builder, x).shape;
  const projected = (tokens: string, from: number, to: number) => {
    const whole = from === 0 && to === 3;
    const rows = (value: string) => (whole ? value : slice(builder, value, 0, from * size, to * size));
    return applyLinear(builder, tokens, rows(weight), bias === undefined ? undefined : rows(bias));
  };
  const partOf = (value: string, part: number) => toHeads(builder, slice(builder, value, 2, part * size, (part + 1) * size), heads); // prettier-ignore
  const parts = (): AttentionParts => {
    if (asking === undefined) {
      const all = projected(x, 0, 3);
      return { query: partOf(all, 0), key: partOf(all, 1), value: partOf(all, 2) };
    }
    const query = toHeads(builder, projected(slice(builder, x, 1, 0, asking), 0, 1), heads);
    const others = projected(x, 1, 3);
    return { query, key: partOf(others, 0), value: partOf(others, 1) };
  };
  const { query, key, value } = parts();
  return joinHeads(builder, attention(builder, { query: rotate(query), key: rotate(key), value }));
}

/** `[N, T, D]` -> `[N, heads, T, D / heads]` */
function toHeads(builder: GraphBuilder, x: string, heads: number): string {
  const [n = 1, tokens = 1, size = 1] = typeOf(builder, x).shape;
  return transpose(builder, reshape(builder, x, [n, tokens, heads, size / heads]), [0, 2, 1, 3]);
}

/** The tokens that ask: what is added to what comes out of them. */
export function askingTokens(builder: GraphBuilder, x: string, asking: number | undefined): string {
  return asking === undefined ? x : slice(builder, x, 1, 0, asking);
}

/** timm's Mlp: two Linears `fc1` and `fc2` around GELU. */
export function mlp(builder: GraphBuilder, name: string, x: string, hidden: number): string {
  const size = typeOf(builder, x).shape.at(-1) ?? 1;
  return linear(builder, `${name}.fc2`, gelu(builder, linear(builder, `${name}.fc1`, x, hidden)), size);
}

/** What a layer made of tokens, each feature by its learned factor where there is one, added to them. */
export function addScaled(builder: GraphBuilder, x: string, y: string, scale: string | undefined): string {
  return add(builder, x, scale === undefined ? y : mul(builder, y, scale));
}
