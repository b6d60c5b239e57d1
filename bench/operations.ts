import { buildNetwork } from '../src/ml/networks/registry.ts';
import { createGraphBuilder, finishGraph, input } from '../src/ml/graph/builder.ts';
import { isNode, typeOf, type Graph, type Node } from '../src/ml/graph/graph.ts';
import { elementCount } from '../src/ml/graph/tensor.ts';
import { conv2dOperator } from '../src/ml/operators/convolution/conv2d.ts';
import { linearOperator } from '../src/ml/operators/matmul/linear.ts';
import { averagePoolOperator } from '../src/ml/operators/pooling/averagePool.ts';

/** Floating-point operations of convolutions and Linear layers in a forward pass of an architecture over one image. */
export function forwardOperations(architecture: string, size = 224): number {
  return operationsOf(forwardGraph(architecture, size));
}

/** The same in torchvision, whose DenseNets average behind the 1x1 convolutions ahead of which ours do. */
export function peerForwardOperations(architecture: string, size = 224): number {
  if (!architecture.startsWith('densenet')) return forwardOperations(architecture, size);
  const graph = forwardGraph(architecture, size);
  const pixels = (value = '') => elementCount(typeOf(graph, value).shape.slice(2));
  return operationsOf(graph, ({ inputs: [image] }) => {
    const before = graph.nodes.find(({ outputs }) => outputs[0] === image);
    return isNode(before, averagePoolOperator) ? pixels(before.inputs[0]) / pixels(image) : 1;
  });
}

function forwardGraph(architecture: string, size: number): Graph {
  const builder = createGraphBuilder();
  const images = input(builder, 'images', [1, 3, size, size]);
  return finishGraph(builder, [buildNetwork(architecture, builder, images, 'original')]);
}

/** A training step computes each product so many times: forward, by its input, by its weights. */
export const passesOfStep = 3;

/** Each product counts `times` its node. */
function operationsOf(graph: Graph, times: (node: Node) => number = () => 1): number {
  const products = graph.nodes.filter((node) => isNode(node, conv2dOperator) || isNode(node, linearOperator));
  return products.reduce((sum, node) => {
    const [, weight = ''] = node.inputs;
    const [, ...perOutput] = typeOf(graph, weight).shape;
    return sum + times(node) * 2 * elementCount(typeOf(graph, node.outputs[0] ?? '').shape) * elementCount(perOutput);
  }, 0);
}
