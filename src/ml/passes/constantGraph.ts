import type { Graph } from '../graph/graph.ts';
import { type StateDict, tensorOf } from '../graph/tensor.ts';

/** A graph for inference, and the tensors that its nodes read of the state. */
export interface ConstantGraph {
  readonly graph: Graph;
  readonly constants: StateDict;
}

/** The graph without the parameters and buffers that no node reads, and the tensors of those that are left. */
export function withUsedConstants(graph: Graph, constants: StateDict): ConstantGraph {
  const used = new Set(graph.nodes.flatMap((node) => node.inputs));
  const parameters = graph.parameters.filter((name) => used.has(name));
  const buffers = graph.buffers.filter((name) => used.has(name));
  const tensors = new Map([...parameters, ...buffers].map((name) => [name, tensorOf(constants, name)]));
  return { graph: { ...graph, parameters, buffers }, constants: tensors };
}

/** The values of a float32 tensor. Throws where there is none, which is a bug of the caller. */
export function floatsOf(constants: StateDict, name: string): Float32Array {
  const tensor = constants.get(name);
  if (tensor?.dtype !== 'float32') throw new Error(`the state has no float32 tensor named ${name}`);
  return tensor.data;
}
