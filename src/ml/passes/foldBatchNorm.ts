import { floats as floatType, isNode, type Graph, type Node } from '../graph/graph.ts';
import { float32Tensor, type StateDict } from '../graph/tensor.ts';
import { conv2dOperator } from '../operators/convolution/conv2d.ts';
import { batchNormInference } from '../operators/norm/batchNormInference.ts';
import { type ConstantGraph, floatsOf, withUsedConstants } from './constantGraph.ts';

/**
 * The same inference graph with every batch norm that directly follows a convolution folded into its weights and
 * bias, and the constants that it then needs. What cannot be folded (DenseNet's norm before the convolution) stays.
 */
export function foldBatchNorm(graph: Graph, state: StateDict): ConstantGraph {
  const readers = new Map<string, number>();
  for (const value of [...graph.nodes.flatMap((node) => node.inputs), ...graph.outputs]) {
    readers.set(value, (readers.get(value) ?? 0) + 1);
  }
  const makers = new Map<string, Node>(graph.nodes.map((node) => [node.outputs[0] ?? '', node]));
  const replaced = new Map<Node, Node | undefined>();
  const constants = new Map(state);
  const buffers: string[] = [];
  const types = new Map(graph.types);

  for (const norm of graph.nodes) {
    const [x = '', weight = '', bias = '', mean = '', variance = ''] = norm.inputs;
    const convolution = makers.get(x);
    if (!isNode(norm, batchNormInference) || !isNode(convolution, conv2dOperator) || readers.get(x) !== 1) continue;
    const [image = '', kernel = '', offset] = convolution.inputs;
    const values = (name: string) => floatsOf(state, name);
    const scale = values(weight).map(
      (gamma, channel) => gamma / Math.sqrt((values(variance)[channel] ?? 1) + norm.attributes.epsilon),
    );
    const folded = { kernel: `${kernel}.folded`, bias: `${kernel}.folded_bias` };
    const shape = graph.types.get(kernel)?.shape ?? [];
    constants.set(folded.kernel, float32Tensor(shape, scaleRows(values(kernel), scale)));
    const before = offset === undefined ? new Float32Array(scale.length) : values(offset);
    const means = values(mean);
    const moved = values(bias).map((beta, c) => beta + ((before[c] ?? 0) - (means[c] ?? 0)) * (scale[c] ?? 1));
    constants.set(folded.bias, float32Tensor([scale.length], moved));
    types.set(folded.kernel, floatType(shape, 'kernel'));
    types.set(folded.bias, floatType([scale.length]));
    buffers.push(folded.kernel, folded.bias);
    replaced.set(convolution, {
      ...convolution,
      inputs: [image, folded.kernel, folded.bias],
      outputs: [norm.outputs[0] ?? ''],
    });
    replaced.set(norm, undefined);
  }

  const nodes = graph.nodes.flatMap((node) => {
    const successor = replaced.has(node) ? replaced.get(node) : node;
    return successor ? [successor] : [];
  });
  return withUsedConstants({ ...graph, nodes, types, buffers: [...graph.buffers, ...buffers] }, constants);
}

function scaleRows(kernel: Float32Array, scale: Float32Array): Float32Array {
  const row = kernel.length / scale.length;
  const scaled = kernel.slice();
  for (const [channel, factor] of scale.entries()) {
    for (let at = channel * row; at < (channel + 1) * row; at++) scaled[at] = (kernel[at] ?? 0) * factor;
  }
  return scaled;
}
