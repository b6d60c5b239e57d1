import { buildNetwork } from '../src/ml/networks/registry.ts';
import { createGraphBuilder, finishGraph, input } from '../src/ml/graph/builder.ts';
import { isNode, typeOf, type Graph } from '../src/ml/graph/graph.ts';
import { elementCount } from '../src/ml/graph/tensor.ts';
import { conv2dOperator } from '../src/ml/operators/convolution/conv2d.ts';
import { linearOperator } from '../src/ml/operators/matmul/linear.ts';

/** Floating-point operations of convolutions and Linear layers in a forward pass of an architecture over one image. */
export function forwardOperations(architecture: string, size = 224): number {
  const builder = createGraphBuilder();
  const images = input(builder, 'images', [1, 3, size, size]);
  return operationsOf(finishGraph(builder, [buildNetwork(architecture, builder, images, 'original')]));
}

/** A training step computes each product three times: forward, by its input, by its weights. */
export function trainingOperations(architecture: string, size = 224): number {
  return 3 * forwardOperations(architecture, size);
}

function operationsOf(graph: Graph): number {
  const products = graph.nodes.filter((node) => isNode(node, conv2dOperator) || isNode(node, linearOperator));
  return products.reduce((sum, { inputs: [, weight = ''], outputs: [output = ''] }) => {
    const [, ...perOutput] = typeOf(graph, weight).shape;
    return sum + 2 * elementCount(typeOf(graph, output).shape) * elementCount(perOutput);
  }, 0);
}
