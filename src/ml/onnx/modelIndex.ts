import type { OnnxGraph, OnnxNode, OnnxTensor, OnnxValueInfo } from './onnxModel.ts';
import { onnxNumber } from './onnxModel.ts';

/** What a search through a foreign model's graph asks for again and again. */
export interface ModelIndex {
  readonly graph: OnnxGraph;
  /** The node that makes a value. */
  readonly producers: ReadonlyMap<string, OnnxNode>;
  /** Tensors that are part of the model, as initializers or as `Constant` nodes. */
  readonly constants: ReadonlyMap<string, OnnxTensor>;
  /** Declared types of inputs, outputs and, where the file has them, of values between. */
  readonly declared: ReadonlyMap<string, OnnxValueInfo>;
}

export function indexModel(graph: OnnxGraph): ModelIndex {
  const constants = new Map<string, OnnxTensor>();
  for (const tensor of graph.initializer ?? []) constants.set(tensor.name ?? '', tensor);
  for (const node of graph.node) {
    const tensor = node.opType === 'Constant' ? attribute(node, 'value')?.t : undefined;
    if (tensor) constants.set(node.output[0] ?? '', tensor);
  }
  return {
    graph,
    constants,
    producers: new Map(graph.node.flatMap((node) => node.output.map((output) => [output, node] as const))),
    declared: new Map(
      [...(graph.valueInfo ?? []), ...graph.input, ...graph.output].map((info) => [info.name, info] as const),
    ),
  };
}

export function attribute(node: OnnxNode, name: string) {
  return node.attribute?.find((entry) => entry.name === name);
}

/** A whole-number attribute, or `otherwise` where the node has none of that name. */
export function integerAttribute(node: OnnxNode, name: string, otherwise: number): number {
  const found = attribute(node, name);
  return found ? onnxNumber(found.i) : otherwise;
}

/** A constant's shape; undefined where the value is no constant of the model. */
export function constantShape(index: ModelIndex, value: string): readonly number[] | undefined {
  return index.constants.get(value)?.dims?.map(onnxNumber);
}

/** A value's declared shape, with undefined for sizes that are open; undefined where the file declares none. */
export function declaredShape(index: ModelIndex, value: string): readonly (number | undefined)[] | undefined {
  return index.declared.get(value)?.type?.tensorType?.shape?.dim?.map((dimension) => {
    const size = onnxNumber(dimension.dimValue);
    return size > 0 ? size : undefined;
  });
}

/** Names of all values that a node reads, also those that the graphs inside it (`If`, `Loop`) take from outside. */
export function valuesRead(node: OnnxNode): string[] {
  const names: string[] = [];
  const open = [node];
  for (let next = open.pop(); next; next = open.pop()) {
    for (const name of next.input) if (name !== '') names.push(name);
    for (const { g, graphs = [] } of next.attribute ?? []) {
      for (const graph of [g, ...graphs]) {
        // An absent sub-message is null after decoding.
        if (!graph) continue;
        for (const { name } of graph.output) names.push(name);
        for (const inner of graph.node) open.push(inner);
      }
    }
  }
  return names;
}
