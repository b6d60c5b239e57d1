import type { Graph } from '../graph/graph.ts';
import { typeOf } from '../graph/graph.ts';
import { elementCount } from '../graph/tensor.ts';

/**
 * Learned numbers of a network and its head together: 8 GB as float32, three times what the largest networks that are
 * listed have (RegNetY-128GF: 645 million).
 */
const mostParameters = 2_000_000_000;
/** Numbers that come up while one image runs through: DenseNet-161 at 2048 pixels has 7.6 billion. */
const mostValues = 8_000_000_000;
/** The same of the part that trains, where all of them are kept for the gradients: 4 GB an image. */
const mostTrainedValues = 1_000_000_000;

/**
 * Throws `RangeError`, a clause that says what to change, for the graph of one image that no machine of today runs in
 * any useful time, or in which nothing is left of the image.
 */
export function refuseUnusable(graph: Graph, use: 'running' | 'training'): void {
  const parameters = countOf(graph, graph.parameters);
  if (parameters > mostParameters) {
    throw new RangeError(
      `the network and its head would have ${millions(parameters)} million parameters, and ${millions(mostParameters)} million are the most: use a smaller network or smaller hidden layers`,
    );
  }
  const made = graph.nodes.flatMap(({ outputs }) => outputs);
  if (made.some((name) => typeOf(graph, name).shape.includes(0))) {
    throw new RangeError('the image size is too small for the network: use a larger one');
  }
  const values = countOf(graph, made);
  if (values > (use === 'training' ? mostTrainedValues : mostValues)) {
    throw new RangeError(
      `the network would need ${gigabytes(4 * values)} GB of memory for one image: use a smaller image size or a smaller network`,
    );
  }
}

/**
 * Throws `RangeError`, a clause that says what to change, where what the optimizer moves needs more than the machine's
 * `memory`, in bytes. `moments` are the numbers that it keeps for each parameter. A step has its parameters and moments
 * twice, before and after, and the gradients; what images take comes on top.
 */
export function refuseBeyondMemory(
  graph: Graph,
  trainable: ReadonlySet<string>,
  moments: number,
  memory: number,
): void {
  const trained = countOf(
    graph,
    graph.parameters.filter((name) => trainable.has(name)),
  );
  const bytes = 4 * trained * (2 * (1 + moments) + 1);
  if (bytes <= memory) return;
  throw new RangeError(
    `to train ${millions(trained)} million parameters takes at least ${gigabytes(bytes)} GB of memory, and this machine has ${gigabytes(memory)}: train fewer layers, such as the head alone, or use a smaller network or smaller hidden layers`,
  );
}

function countOf(graph: Graph, names: readonly string[]): number {
  return names.reduce((sum, name) => sum + elementCount(typeOf(graph, name).shape), 0);
}

function millions(count: number): string {
  return Math.ceil(count / 1e6).toLocaleString('en');
}

function gigabytes(bytes: number): number {
  return Math.ceil(bytes / 1e9);
}
