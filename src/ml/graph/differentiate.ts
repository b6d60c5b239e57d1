import { add, append, type GraphBuilder } from './builder.ts';
import { gradientsOf } from './gradients.ts';
import type { Graph } from './graph.ts';

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
  };
}

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
 * the value that holds its gradient. `seeds` are the gradients by the values from which the pass starts. Nothing is
 * computed for values that `wanted` does not need. Throws where a wanted value does not reach a seed.
 */
export function differentiate(
  builder: GraphBuilder,
  seeds: ReadonlyMap<string, string>,
  wanted: readonly string[],
): Map<string, string> {
  const forward = [...builder.nodes];
  const needed = dependentsOf(builder, wanted);
  const partial = new Map<string, string>(seeds);
  for (const node of forward.reverse()) {
    const [output = ''] = node.outputs;
    const incoming = partial.get(output);
    const first = builder.nodes.length;
    if (incoming === undefined || !node.outputs.some((value) => needed.has(value))) continue;
    for (const [value, gradient] of gradientsOf(builder, node, incoming, (value) => needed.has(value))) {
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

/**
 * Appends the loss and its gradient by the logits: `targets` `[N, classes]` becomes an input. Returns the loss value
 * and the seeds for `differentiate`. The graph's single output must come from a `logSoftmax`.
 */
export function appendLoss(
  builder: GraphBuilder,
  logProbabilities: string,
): { loss: string; seeds: Map<string, string> } {
  const source = builder.nodes.find((node) => node.outputs[0] === logProbabilities);
  const [logits] = source?.inputs ?? [];
  const type = builder.types.get(logProbabilities);
  if (source?.op !== 'logSoftmax' || logits === undefined || !type) {
    throw new Error('the loss needs the output of a log-softmax');
  }
  builder.inputs.push('targets');
  builder.types.set('targets', type);
  const [loss] = append(builder, { op: 'negativeLogLikelihood' }, [logProbabilities, 'targets'], [[]]);
  const [gradient] = append(builder, { op: 'logSoftmaxLossGradient' }, [logProbabilities, 'targets'], [type.shape]);
  return { loss, seeds: new Map([[logits, gradient]]) };
}
