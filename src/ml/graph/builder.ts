import type { Axes, Graph, GraphBuilder, Operator, TensorType } from './graph.ts';
import { typeOf } from './graph.ts';

export function createGraphBuilder(
  batchNorm: GraphBuilder['batchNorm'] = 'running',
  dropout: GraphBuilder['dropout'] = 0,
): GraphBuilder {
  const made = { inputs: [], parameters: [], buffers: [], nodes: [], updates: new Map(), types: new Map() };
  return { ...made, batchNorm, dropout };
}

/** The finished graph. `outputs` are values made before. */
export function finishGraph(builder: GraphBuilder, outputs: readonly string[]): Graph {
  for (const output of outputs) typeOf(builder, output);
  const { inputs, parameters, buffers, nodes, updates, types } = builder;
  return { inputs, parameters, buffers, nodes, updates, types, outputs };
}

/** A builder that goes on where a graph ended; the graph itself is not changed. */
export function extendGraph(graph: Graph): GraphBuilder {
  return {
    inputs: [...graph.inputs],
    parameters: [...graph.parameters],
    buffers: [...graph.buffers],
    nodes: [...graph.nodes],
    updates: new Map(graph.updates),
    types: new Map(graph.types),
    batchNorm: 'running',
    dropout: 0,
  };
}

function declare(builder: GraphBuilder, name: string, type: TensorType): string {
  if (builder.types.has(name)) throw new Error(`the graph has two values named ${name}`);
  builder.types.set(name, type);
  return name;
}

/** Declares a value that is fed at every run: images if it has four dimensions, unless `axes` says otherwise. */
export function input(
  builder: GraphBuilder,
  name: string,
  shape: readonly number[],
  dtype: TensorType['dtype'] = 'float32',
  axes: Axes = shape.length === 4 ? 'image' : 'plain',
): string {
  builder.inputs.push(declare(builder, name, { dtype, shape, axes }));
  return name;
}

/** Declares a learned tensor; the order of declarations is torch's parameter order. */
export function parameter(builder: GraphBuilder, name: string, shape: readonly number[], axes: Axes = 'plain'): string {
  builder.parameters.push(declare(builder, name, { dtype: 'float32', shape, axes }));
  return name;
}

/** Declares a tensor of the state dict that is not learned by gradient. */
export function buffer(builder: GraphBuilder, name: string, shape: readonly number[]): string {
  builder.buffers.push(declare(builder, name, { dtype: 'float32', shape, axes: 'plain' }));
  return name;
}

/** Appends one node and returns the names of its outputs, made from the operator's name. */
export function appendAll<Attributes>(
  builder: GraphBuilder,
  operator: Operator<Attributes>,
  attributes: NoInfer<Attributes>,
  inputs: readonly string[],
): readonly string[] {
  const types = operator.shape(
    inputs.map((value) => typeOf(builder, value)),
    attributes,
  );
  const serial = builder.nodes.length;
  const outputs = types.map((type, index) =>
    declare(builder, `${operator.name}_${serial}${index === 0 ? '' : `_${index}`}`, type),
  );
  builder.nodes.push({ operator, attributes, inputs, outputs });
  return outputs;
}

/** Appends one node and returns the name of its first output. */
export function append<Attributes>(
  builder: GraphBuilder,
  operator: Operator<Attributes>,
  attributes: NoInfer<Attributes>,
  inputs: readonly string[],
): string {
  return appendAll(builder, operator, attributes, inputs)[0] ?? '';
}

/** Shape of a value as `[N, C, H, W]`. Throws if it has another rank. */
export function imageShape(graph: Pick<Graph, 'types'>, value: string): readonly [number, number, number, number] {
  return sizesOfImage(typeOf(graph, value), value);
}

/** Sizes `[N, C, H, W]` of a type with four dimensions. Throws if it has another rank. */
export function sizesOfImage(
  type: TensorType | undefined,
  what = 'the value',
): readonly [number, number, number, number] {
  const [n, c, h, w, ...rest] = type?.shape ?? [];
  if (n === undefined || c === undefined || h === undefined || w === undefined || rest.length > 0) {
    throw new Error(`${what} does not have the four dimensions [N, C, H, W]`);
  }
  return [n, c, h, w];
}
