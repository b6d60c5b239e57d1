import { typeOf, type Graph } from '../../../src/ml/graph/graph.ts';
import type { OperatorRecord } from '../../../src/ml/operators/operator.ts';

/** Values of a graph by name, float64, in torch's layouts. */
export type Doubles = Map<string, Float64Array>;

/**
 * Runs a forward graph in float64 by the references of its operators, slowly: the yardstick for engines in tests.
 * `values` holds inputs, parameters and buffers, and in the end everything.
 */
export function runDouble(graph: Graph, values: Doubles): Doubles {
  for (const node of graph.nodes) {
    const { name, reference } = node.operator as Partial<OperatorRecord>;
    if (!reference) throw new Error(`${name ?? ''} has no reference`);
    const types = (names: readonly string[]) => names.map((value) => typeOf(graph, value));
    const run = { attributes: node.attributes, inputs: types(node.inputs), outputs: types(node.outputs) };
    const result = reference((index) => values.get(node.inputs[index] ?? '') ?? new Float64Array(), run);
    const results = result instanceof Float64Array ? [result] : result;
    node.outputs.forEach((value, index) => values.set(value, results[index] ?? new Float64Array()));
  }
  return values;
}
