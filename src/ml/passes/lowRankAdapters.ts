import { dependentsOf } from '../graph/differentiate.ts';
import { floats, isNode, typeOf, type Graph, type Node } from '../graph/graph.ts';
import { float32Tensor, type StateDict, type Tensor } from '../graph/tensor.ts';
import { addOperator } from '../operators/elementwise/arithmetic.ts';
import { affineOperator } from '../operators/elementwise/affine.ts';
import { linearOperator } from '../operators/matmul/linear.ts';
import { sliceOperator } from '../operators/movement/slice.ts';
import { none } from '../operators/operator.ts';

/*
 * LoRA (Hu et al. 2021, https://arxiv.org/abs/2106.09685): a Linear of weight W stays as it is, and an adapter of two
 * small matrices trains in its place: y = x W^T + alpha / rank * (x A^T) B^T. With W + alpha / rank * B A for its weight
 * the Linear does the same without an adapter.
 */

export interface AdapterOptions {
  readonly rank: number;
  readonly alpha: number;
}

const adapterName = /\.lora_[AB]\.weight$/u;

/** Whether a tensor belongs to an adapter. */
export function isAdapter(name: string): boolean {
  return adapterName.test(name);
}

/** Whether a tensor is that of an adapter which the result is multiplied by last, B. */
export function isSecondFactor(name: string): boolean {
  return name.endsWith('.lora_B.weight');
}

/** Names of a Linear's adapter, as peft has them: `blocks.0.attn.qkv.lora_A.weight` beside `blocks.0.attn.qkv.weight`. */
function adapterOf(weight: string): { readonly a: string; readonly b: string } {
  // torch's MultiheadAttention has the weight of three Linears under a name of its own.
  const module = weight.replace(/\.(?:in_proj_)?weight$/u, '');
  return { a: `${module}.lora_A.weight`, b: `${module}.lora_B.weight` };
}

/**
 * The forward graph with an adapter beside each Linear that the images go through before the head, the module
 * `classifier`; undefined where there is no such Linear.
 */
export function withAdapters(graph: Graph, classifier: string, { rank, alpha }: AdapterOptions): Graph | undefined {
  const ofImages = dependentsOf(graph, graph.inputs);
  const learned = new Set(graph.parameters.filter((name) => !name.startsWith(`${classifier}.`)));
  const types = new Map(graph.types);
  const adapters = new Set<string>();
  const cuts = new Map(
    graph.nodes.filter((node) => isNode(node, sliceOperator)).map((node) => [node.outputs[0] ?? '', node] as const),
  );
  const nodes = graph.nodes.flatMap((node): readonly Node[] => {
    const [x = '', rowsOrWeight = ''] = node.inputs;
    // Where only some tokens ask, queries have rows of the weight to themselves, and keys and values the others.
    const cut = cuts.get(rowsOrWeight);
    const weight = cut?.attributes.axis === 0 ? (cut.inputs[0] ?? '') : rowsOrWeight;
    if (!isNode(node, linearOperator) || !learned.has(weight) || !ofImages.has(x)) return [node];
    const [rows = 1, size = 1] = typeOf(graph, x).shape;
    const features = typeOf(graph, weight).shape[0] ?? 1;
    const { a, b } = adapterOf(weight);
    const declare = (name: string, shape: readonly number[]): string => {
      types.set(name, floats(shape));
      return name;
    };
    adapters.add(declare(a, [rank, size])).add(declare(b, [features, rank]));
    const [y = ''] = node.outputs;
    const made = typeOf(graph, y).shape[1] ?? 1;
    const [base, low, scaled, change] = [
      declare(`${y}.base`, [rows, made]),
      declare(`${y}.low`, [rows, rank]),
      declare(`${y}.scaled`, [rows, rank]),
      declare(`${y}.change`, [rows, made]),
    ];
    const second =
      cut && weight !== rowsOrWeight
        ? { ...cut, inputs: [b], outputs: [declare(`${y}.second`, [made, rank])] }
        : undefined;
    return [
      { ...node, outputs: [base] },
      { operator: linearOperator, attributes: none, inputs: [x, a], outputs: [low] },
      { operator: affineOperator, attributes: { scale: alpha / rank, shift: 0 }, inputs: [low], outputs: [scaled] },
      ...(second ? [second] : []),
      { operator: linearOperator, attributes: none, inputs: [scaled, second?.outputs[0] ?? b], outputs: [change] },
      { operator: addOperator, attributes: none, inputs: [base, change], outputs: [y] },
    ];
  });
  if (adapters.size === 0) return undefined;
  return { ...graph, nodes, types, parameters: [...graph.parameters, ...adapters] };
}

/** A state without adapters, and what it was made of. */
export interface MergedState {
  /** The adapters are in the weights. */
  readonly merged: StateDict;
  /** The adapters, and the weights that they are beside, as they were. */
  readonly parts: StateDict;
}

/** Puts the adapters of a state into the weights that they are beside. Lets other work run between two of them. */
export async function mergeAdapters(state: StateDict, { rank, alpha }: AdapterOptions): Promise<MergedState> {
  const merged = new Map<string, Tensor>();
  const parts = new Map<string, Tensor>();
  for (const [name, weight] of state) {
    if (isAdapter(name)) {
      parts.set(name, weight);
      continue;
    }
    const adapter = adapterOf(name);
    const [a, b] = [state.get(adapter.a), state.get(adapter.b)];
    if (!name.endsWith('weight') || a?.dtype !== 'float32' || b?.dtype !== 'float32' || weight.dtype !== 'float32') {
      merged.set(name, weight);
      continue;
    }
    parts.set(name, weight);
    merged.set(name, float32Tensor(weight.shape, sumOf(weight.data, a.data, b.data, { rank, scale: alpha / rank })));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { merged, parts };
}

/** weight `[out, in]` + scale * b `[out, rank]` a `[rank, in]`, in float64 until the end */
function sumOf(
  weight: Float32Array,
  a: Float32Array,
  b: Float32Array,
  { rank, scale }: { readonly rank: number; readonly scale: number },
): Float32Array {
  const size = a.length / rank;
  const sum = new Float32Array(weight.length);
  const row = new Float64Array(size);
  for (let start = 0; start < weight.length; start += size) {
    for (let i = 0; i < size; i++) row[i] = weight[start + i] ?? 0;
    for (let k = 0; k < rank; k++) {
      const factor = scale * (b[(start / size) * rank + k] ?? 0);
      for (let i = 0; i < size; i++) row[i] = (row[i] ?? 0) + factor * (a[k * size + i] ?? 0);
    }
    sum.set(row, start);
  }
  return sum;
}

/** Shapes of the adapters and of the weights beside them, among `names`, of a state without adapters. */
export function adapterShapes(
  names: Iterable<string>,
  state: StateDict,
  rank: number,
): ReadonlyMap<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  const known = new Set(names);
  for (const [name, { shape }] of state) {
    const { a, b } = adapterOf(name);
    // The weights behind averages are among the names too, and have no adapter.
    if (!known.has(name) || !(known.has(a) || known.has(b))) continue;
    shapes
      .set(name, shape)
      .set(a, [rank, shape[1] ?? 1])
      .set(b, [shape[0] ?? 1, rank]);
  }
  return shapes;
}
