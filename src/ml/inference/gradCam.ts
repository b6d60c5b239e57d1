import { extendGraph, finishGraph, input } from '../graph/builder.ts';
import { differentiate } from '../graph/differentiate.ts';
import { type Graph, typeOf } from '../graph/graph.ts';
import { float32Tensor, type Tensor } from '../graph/tensor.ts';
import { imagesInput } from '../networks/network.ts';
import { add } from '../operators/elementwise/arithmetic.ts';
import { logSoftmaxOperator } from '../operators/loss/logSoftmax.ts';
import { globalAveragePoolOperator } from '../operators/pooling/globalAveragePool.ts';
import type { ClassifierGraph, ImageBatch } from './classifier.ts';
import type { Placement } from './graphClassifier.ts';

/** Where a class was seen in an image: rows of numbers from 0 to 1, the largest 1 unless all are 0. */
export type ActivationMap = readonly (readonly number[])[];

const seedInput = 'explained';

/** Whether a network has a feature map that it pools: what Grad-CAM needs. */
export function hasFeatureMap(graph: Graph): boolean {
  return featureMapOf(graph) !== undefined;
}

/** The last feature map, behind its last activation and ahead of the global pool. */
function featureMapOf({ nodes }: Graph): string | undefined {
  const pool = nodes.findLast(({ operator }) => operator.name === globalAveragePoolOperator.name);
  return pool?.inputs[0];
}

/** A graph extended by the gradient of what `explained` `[N, classes]` weighs, by the scores before the softmax. */
function withGradient(forward: Graph): Graph {
  const map = featureMapOf(forward);
  if (map === undefined) throw new Error('the network has no feature map');
  const [output = ''] = forward.outputs;
  const last = forward.nodes.find(({ outputs }) => outputs.includes(output));
  const scores = last?.operator.name === logSoftmaxOperator.name ? (last.inputs[0] ?? output) : output;
  const builder = extendGraph(forward);
  const seed = input(builder, seedInput, typeOf(forward, scores).shape);
  const gradient = differentiate(builder, new Map([[scores, seed]]), [map], add).get(map) ?? '';
  return finishGraph(builder, [map, gradient]);
}

/**
 * Grad-CAM (Selvaraju et al. 2017) of images uint8 `[N, 3, S, S]`: for each, the ReLU of the sum of the last feature map's
 * channels, each weighed by the mean over its places of the gradient of the class's score before the softmax.
 * `classPositions` has a column of the classifier's output for each image.
 */
export async function gradCam(
  { graphFor, state }: Pick<ClassifierGraph, 'graphFor' | 'state'>,
  images: ImageBatch,
  classPositions: readonly number[],
  { engine, device }: Placement,
): Promise<ActivationMap[]> {
  const graphs = (batchSize: number) => withGradient(graphFor(batchSize));
  const [count = 0] = images.shape;
  const graph = graphs(count);
  const [map = '', gradient = ''] = graph.outputs;
  const [, channels = 0, height = 0, width = 0] = typeOf(graph, map).shape;
  const [, classes = 0] = typeOf(graph, seedInput).shape;
  const seed = new Float32Array(count * classes);
  classPositions.forEach((position, image) => (seed[image * classes + position] = 1));
  const model = await engine.compileInference(graphs, state, device);
  try {
    const feeds = new Map<string, Tensor>([
      [imagesInput, images],
      [seedInput, float32Tensor([count, classes], seed)],
    ]);
    const outputs = await model.run(feeds);
    const [values, slopes] = [outputs.get(map), outputs.get(gradient)];
    if (values?.dtype !== 'float32' || slopes?.dtype !== 'float32') throw new Error('the network gave no float32 maps');
    const size = channels * height * width;
    return Array.from({ length: count }, (_, image) => {
      const own = ({ data }: { readonly data: Float32Array }) => data.subarray(image * size, (image + 1) * size);
      return weighted(own(values), own(slopes), channels, width);
    });
  } finally {
    await model.dispose();
  }
}

function weighted(values: Float32Array, slopes: Float32Array, channels: number, width: number): ActivationMap {
  const area = values.length / channels;
  const sums = new Float64Array(area);
  for (let channel = 0; channel < channels; channel++) {
    let weight = 0;
    for (let at = 0; at < area; at++) weight += slopes[channel * area + at] ?? 0;
    for (let at = 0; at < area; at++) {
      sums[at] = (sums[at] ?? 0) + (weight / area) * (values[channel * area + at] ?? 0);
    }
  }
  return scaledRows([...sums.map((sum) => Math.max(0, sum))], width);
}

/** Numbers as rows, scaled to a maximum of 1; all 0 stay so. */
export function scaledRows(values: readonly number[], width: number): ActivationMap {
  const most = values.reduce((largest, value) => Math.max(largest, value), 0);
  const scaled = values.map((value) => (most > 0 ? value / most : 0));
  return Array.from({ length: values.length / width }, (_, row) => scaled.slice(row * width, (row + 1) * width));
}
