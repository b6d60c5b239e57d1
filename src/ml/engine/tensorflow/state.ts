import { typeOf, type Graph, type TensorType } from '../../graph/graph.ts';
import type { StateDict, Tensor } from '../../graph/tensor.ts';
import type { Feeds } from '../engine.ts';
import type { DeviceTensor, TensorFlow } from '../../operators/tensorflow.ts';
import { upload } from './deviceTensor.ts';

/** Number of images of a run: the first dimension of what is fed. Throws where nothing is fed. */
export function batchSizeOf(feeds: Feeds): number {
  const [first] = feeds.values();
  const size = first?.shape[0];
  if (size === undefined) throw new Error('a run without inputs');
  return size;
}

/** The graphs of `graphFor`, each asked for once and checked against the state it will run on. */
export function rememberGraphs(graphFor: (batchSize: number) => Graph, state: StateDict): (batchSize: number) => Graph {
  const known = new Map<number, Graph>();
  return (batchSize) => {
    const graph = known.get(batchSize) ?? graphFor(batchSize);
    if (!known.has(batchSize)) {
      for (const name of [...graph.parameters, ...graph.buffers]) checkTensor(graph, name, state.get(name));
      known.set(batchSize, graph);
    }
    return graph;
  };
}

/** Copies a graph's inputs to the device. Throws where one is missing or has another shape. */
export function uploadFeeds(tf: TensorFlow, graph: Graph, feeds: Feeds): Map<string, DeviceTensor> {
  return new Map(
    graph.inputs.map(
      (name) => [name, upload(tf, checkTensor(graph, name, feeds.get(name)), typeOf(graph, name))] as const,
    ),
  );
}

function checkTensor(graph: Graph, name: string, tensor: Tensor | undefined): Tensor {
  const { shape } = typeOf(graph, name);
  if (!tensor) throw new Error(`the graph needs ${name} and was not given it`);
  if (tensor.shape.join() !== shape.join()) {
    throw new Error(`${name} has the shape [${tensor.shape.join(', ')}] and not [${shape.join(', ')}]`);
  }
  return tensor;
}

/** What the axes of a tensor of the state are; plain if no graph reads it. */
export function axesOf(graph: Pick<Graph, 'types'>, name: string): Pick<TensorType, 'axes'> {
  return graph.types.get(name) ?? { axes: 'plain' };
}
