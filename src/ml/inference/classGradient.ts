import { extendGraph, input } from '../graph/builder.ts';
import { differentiate } from '../graph/differentiate.ts';
import { type Graph, type GraphBuilder, typeOf } from '../graph/graph.ts';
import { float32Tensor, type Tensor } from '../graph/tensor.ts';
import { imagesInput } from '../networks/network.ts';
import { add } from '../operators/elementwise/arithmetic.ts';
import { logSoftmaxOperator } from '../operators/loss/logSoftmax.ts';
import type { ImageBatch } from './classifier.ts';

/** Where a class was seen in an image: rows of numbers from 0 to 1, the largest 1 unless all are 0. */
export type ActivationMap = readonly (readonly number[])[];

const seedInput = 'explained';

/** A graph that goes on with the gradients by some of its values of what `explained` `[N, classes]` weighs. */
export interface ClassGradient {
  readonly builder: GraphBuilder;
  readonly gradients: ReadonlyMap<string, string>;
}

/** The gradients of the scores before the softmax by `values`, which these depend on. */
export function classGradient(forward: Graph, values: readonly string[]): ClassGradient {
  const [output = ''] = forward.outputs;
  const last = forward.nodes.find(({ outputs }) => outputs.includes(output));
  const scores = last?.operator.name === logSoftmaxOperator.name ? (last.inputs[0] ?? output) : output;
  const builder = extendGraph(forward);
  const seed = input(builder, seedInput, typeOf(forward, scores).shape);
  return { builder, gradients: differentiate(builder, new Map([[scores, seed]]), values, add) };
}

/** The feeds of such a graph: images uint8 `[N, 3, S, S]`, and for each the column of the class in the classifier's output. */
export function classFeeds(
  graph: Pick<Graph, 'types'>,
  images: ImageBatch,
  classPositions: readonly number[],
): Map<string, Tensor> {
  const [count = 0, classes = 0] = typeOf(graph, seedInput).shape;
  const seed = new Float32Array(count * classes);
  classPositions.forEach((position, image) => (seed[image * classes + position] = 1));
  return new Map<string, Tensor>([
    [imagesInput, images],
    [seedInput, float32Tensor([count, classes], seed)],
  ]);
}

/** Numbers as rows, scaled to a maximum of 1; all 0 stay so. */
export function scaledRows(values: readonly number[], width: number): ActivationMap {
  const most = values.reduce((largest, value) => Math.max(largest, value), 0);
  const scaled = values.map((value) => (most > 0 ? value / most : 0));
  return Array.from({ length: values.length / width }, (_, row) => scaled.slice(row * width, (row + 1) * width));
}
