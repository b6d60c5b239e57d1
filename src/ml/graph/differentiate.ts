import type { Graph, GraphBuilder } from './graph.ts';

/** Values that depend on one of `sources`, the sources included. */
export function dependentsOf(graph: Pick<Graph, 'nodes'>, sources: Iterable<string>): Set<string> {
  const dependents = new Set(sources);
  for (const node of graph.nodes) {
    if (node.inputs.some((value) => dependents.has(value))) for (const output of node.outputs) dependents.add(output);
  }
  return dependents;
}

/**
 * Reverse-mode differentiation: appends the backward pass of `nodes` to the builder and returns, for each of `wanted`,
 * the value that holds its gradient. `seeds` are the gradients by the values from which the pass starts; `add` appends
 * the sum of two gradients. Nothing is computed for values that `wanted` does not need. Throws if a wanted value does
 * not reach a seed, or if an operator on the way cannot be differentiated.
 */
export function differentiate(
  builder: GraphBuilder,
  seeds: ReadonlyMap<string, string>,
  wanted: readonly string[],
  add: (builder: GraphBuilder, a: string, b: string) => string,
): Map<string, string> {
  const forward = [...builder.nodes];
  const needed = dependentsOf(builder, wanted);
  const partial = new Map<string, string>(seeds);
  for (const node of forward.reverse()) {
    const [output = ''] = node.outputs;
    const incoming = partial.get(output);
    const first = builder.nodes.length;
    if (incoming === undefined || !node.outputs.some((value) => needed.has(value))) continue;
    if (!node.operator.gradient) throw new Error(`${node.operator.name} has no gradient`);
    const gradients = node.operator.gradient(builder, node, incoming, (value) => needed.has(value));
    for (const [value, gradient] of gradients) {
      const known = partial.get(value);
      partial.set(value, known === undefined ? gradient : add(builder, known, gradient));
    }
    builder.nodes.splice(
      first,
      Infinity,
      ...builder.nodes.slice(first).map((made) => ({ ...made, gradientOf: output })),
    );
  }
  return new Map(
    wanted.map((value) => {
      const gradient = partial.get(value);
      if (gradient === undefined) throw new Error(`the loss does not depend on ${value}`);
      return [value, gradient];
    }),
  );
}
