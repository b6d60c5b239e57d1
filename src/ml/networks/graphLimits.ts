import type { Graph } from '../graph/graph.ts';
import { typeOf } from '../graph/graph.ts';
import { elementCount } from '../graph/tensor.ts';

/**
 * Learned numbers of a network and its head together: as float32 they have to fit into the 2 GiB of an ONNX model, with some
 * room. ViT-H/14 (632 million) and RegNetY-128GF (645) do not, ViT-L/16 (304) does.
 */
const mostParameters = 530_000_000;

/** Whether weights of this size, in units of 2^20 bytes, are those of a network that is not refused for its size. */
export function fitsModel(megabytes: number): boolean {
  return (megabytes * 2 ** 20) / 4 <= mostParameters;
}

/** Numbers that come up while one image runs through: DenseNet-161 at 2048 pixels has 7.6 billion. */
const mostValues = 8_000_000_000;
/** The same of the part that trains, where all of them are kept for the gradients: 4 GB an image. */
const mostTrainedValues = 1_000_000_000;

/**
 * Throws `RangeError`, a clause that says what to change, for the graph of one image that no machine of today runs in
 * any useful time, or in which nothing is left of the image.
 */
export function refuseUnusable(graph: Graph, use: 'running' | 'training'): void {
  const count = (names: readonly string[]) =>
    names.reduce((sum, name) => sum + elementCount(typeOf(graph, name).shape), 0);
  const parameters = count(graph.parameters);
  if (parameters > mostParameters) {
    throw new RangeError(
      `the network and its head would have ${millions(parameters)} million parameters, and ${millions(mostParameters)} are the most that an ONNX model holds: use a smaller network or smaller hidden layers`,
    );
  }
  const made = graph.nodes.flatMap(({ outputs }) => outputs);
  if (made.some((name) => typeOf(graph, name).shape.includes(0))) {
    throw new RangeError('the image size is too small for the network: use a larger one');
  }
  const values = count(made);
  if (values > (use === 'training' ? mostTrainedValues : mostValues)) {
    throw new RangeError(
      `the network would need ${Math.ceil((4 * values) / 1e9)} GB of memory for one image: use a smaller image size or a smaller network`,
    );
  }
}

function millions(count: number): string {
  return Math.ceil(count / 1e6).toLocaleString('en');
}
