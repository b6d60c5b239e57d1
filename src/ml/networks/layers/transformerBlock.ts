import { typeOf, type GraphBuilder } from '../../graph/graph.ts';
import { gelu } from '../../operators/activation/gelu.ts';
import { add } from '../../operators/elementwise/arithmetic.ts';
import { layerScale } from '../../operators/elementwise/layerScale.ts';
import { attention, type AttentionParts, joinHeads, splitHeads, toHeads } from '../../operators/matmul/attention.ts';
import { applyLinear, linear } from '../../operators/matmul/linear.ts';
import { slice } from '../../operators/movement/slice.ts';

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
  const { query, key, value } =
    asking === undefined
      ? splitHeads(builder, applyLinear(builder, x, weight, bias), heads)
      : partsOfAsking(builder, x, { ...options, asking });
  return joinHeads(builder, attention(builder, { query: rotate(query), key: rotate(key), value }));
}

/** Queries of the tokens that ask, keys and values of all. */
function partsOfAsking(
  builder: GraphBuilder,
  x: string,
  { heads, weight, bias, asking }: SelfAttentionOptions & { readonly asking: number },
): AttentionParts {
  const [, , size = 1] = typeOf(builder, x).shape;
  const projected = (tokens: string, from: number, to: number) => {
    const rows = (value: string) => slice(builder, value, 0, from * size, to * size);
    return applyLinear(builder, tokens, rows(weight), bias === undefined ? undefined : rows(bias));
  };
  const query = toHeads(builder, projected(slice(builder, x, 1, 0, asking), 0, 1), heads);
  const others = projected(x, 1, 3);
  const [key = '', value = ''] = [0, 1].map((part) =>
    toHeads(builder, slice(builder, others, 2, part * size, (part + 1) * size), heads),
  );
  return { query, key, value };
}

/** The tokens that ask: what is added to what comes out of them. */
export function askingTokens(builder: GraphBuilder, x: string, asking: number | undefined): string {
  return asking === undefined ? x : slice(builder, x, 1, 0, asking);
}

/** Two Linears around GELU, by the names of their modules; `hidden` is the size between them. */
export function mlp(
  builder: GraphBuilder,
  [first, second]: readonly [first: string, second: string],
  x: string,
  hidden: number,
): string {
  const size = typeOf(builder, x).shape.at(-1) ?? 1;
  return linear(builder, second, gelu(builder, linear(builder, first, x, hidden)), size);
}

/** The names of the two Linears in timm's Mlp. */
export function timmMlpNames(name: string): readonly [first: string, second: string] {
  return [`${name}.fc1`, `${name}.fc2`];
}

/** What a layer made of tokens, each feature by its learned factor where there is one, added to them. */
export function addScaled(builder: GraphBuilder, x: string, y: string, scale: string | undefined): string {
  return add(builder, x, scale === undefined ? y : layerScale(builder, y, scale));
}
