import { typeOf, type Graph, type Node } from '../../graph/graph.ts';
import { elementCount } from '../../graph/tensor.ts';
import { loweredOperator } from '../loweredOperator.ts';
import type { Layouts } from './layouts.ts';
import { createFlowNetwork } from './minimumCut.ts';

export type AssignLayouts = (graph: Graph, block: number) => Layouts;

/**
 * What a multiplication that runs on blocks is worth, in elements of an image that are reordered: measured, the blocked
 * convolution saves about 0.009 ns and a reorder takes about 0.6 (two cores with AVX-512).
 */
const elementsPerMultiplication = 0.015;

/** The least share of a graph's multiplications on blocks for which the rest gives up ONNX Runtime's own optimizations. */
const leastShare = 0.3;

/**
 * Chooses blocked or plain layout for each node, and with it for each image, so that what the blocked convolutions save
 * is as much as possible over what reordering costs where layouts meet. That is a cheapest cut of a network: on the
 * source's side is what computes on blocks. An image that both layouts read is reordered once.
 */
export function assignLayouts(graph: Graph, block: number): Layouts {
  const flow = createFlowNetwork();
  const places = new Map<Node, number>();
  const blockable = new Set(blockableNodes(graph, block));
  for (const node of graph.nodes) {
    if (imagesRead(graph, node, block).length === 0 && !node.outputs.some((value) => isImage(graph, value))) continue;
    const place = flow.place();
    places.set(node, place);
    if (blockable.has(node)) flow.connect(0, place, elementsPerMultiplication * multiplicationsOf(graph, node));
    else flow.connect(place, 1, Infinity);
  }
  for (const [value, { producer, readers }] of edgesOf(graph, block)) {
    const made = producer ? places.get(producer) : 1;
    const read = readers.flatMap((reader) => places.get(reader) ?? []);
    if (made === undefined || read.length === 0) continue;
    const cost = elementCount(typeOf(graph, value).shape);
    // Made in blocks and read plain, and the other way round.
    const [toPlain, toBlocks] = [flow.place(), flow.place()];
    flow.connect(made, toPlain, cost);
    flow.connect(toBlocks, made, cost);
    for (const place of read) {
      flow.connect(toPlain, place, Infinity);
      flow.connect(place, toBlocks, Infinity);
    }
  }
  const side = flow.sourceSide();
  return layoutsOf(
    graph,
    [...places].flatMap(([node, place]) => (side.has(place) ? [node] : [])),
  );
}

/** The layouts of a graph in which these nodes compute on blocks. */
export function layoutsOf(graph: Graph, inBlocks: readonly Node[]): Layouts {
  return {
    nodes: new Set(inBlocks),
    images: new Set(inBlocks.flatMap((node) => node.outputs.filter((value) => isImage(graph, value)))),
    kernels: new Set(inBlocks.flatMap(({ inputs }) => inputs.filter((value) => isKernel(graph, value)))),
  };
}

/** The nodes that can compute on blocks of so many channels, whether it pays or not. */
export function blockableNodes(graph: Graph, block: number): Node[] {
  const outputs = new Set(graph.outputs);
  return graph.nodes.filter((node) => {
    const made = node.outputs.filter((value) => isImage(graph, value));
    const touchesImages = made.length > 0 || node.inputs.some((value) => isImage(graph, value));
    // What the model gives is in the plain layout.
    return touchesImages && !made.some((value) => outputs.has(value)) && hasBlockedForm(graph, node, block);
  });
}

/** Whether so much of a graph's work is on blocks that the whole is written for them. */
export function areWorthwhile(graph: Graph, { nodes }: Layouts): boolean {
  const work = (list: Iterable<Node>) => [...list].reduce((sum, node) => sum + multiplicationsOf(graph, node), 0);
  const all = work(graph.nodes);
  return all > 0 && work(nodes) >= leastShare * all;
}

function multiplicationsOf(graph: Graph, node: Node): number {
  return loweredOperator(node).multiplications?.({ graph }, node) ?? 0;
}

function isImage(graph: Graph, value: string): boolean {
  return typeOf(graph, value).axes === 'image';
}

function isKernel(graph: Graph, value: string): boolean {
  return typeOf(graph, value).axes === 'kernel' && graph.parameters.includes(value);
}

/** The images that a node reads in its own layout. */
function imagesRead(graph: Graph, node: Node, block: number): string[] {
  const asTheyAre = loweredOperator(node).takesPlain?.({ graph }, node, block) ?? [];
  return node.inputs.filter((value) => isImage(graph, value) && !asTheyAre.includes(value));
}

/** Whether a node can compute on blocks: it has a form, and all of its images have full blocks. */
function hasBlockedForm(graph: Graph, node: Node, block: number): boolean {
  const operator = loweredOperator(node);
  if (!operator.blocked || operator.suitsBlocks?.({ graph }, node, block) === false) return false;
  const made = node.outputs.filter((value) => isImage(graph, value));
  return [...imagesRead(graph, node, block), ...made].every(
    (value) => (typeOf(graph, value).shape[1] ?? 0) % block === 0,
  );
}

/** Who makes and who reads each image. */
function edgesOf(graph: Graph, block: number): Map<string, { producer: Node | undefined; readers: Node[] }> {
  const edges = new Map<string, { producer: Node | undefined; readers: Node[] }>();
  for (const name of graph.inputs) edges.set(name, { producer: undefined, readers: [] });
  for (const node of graph.nodes) {
    for (const value of new Set(imagesRead(graph, node, block))) edges.get(value)?.readers.push(node);
    for (const value of node.outputs) if (isImage(graph, value)) edges.set(value, { producer: node, readers: [] });
  }
  return edges;
}
