import { finishGraph } from '../graph/builder.ts';
import { type Graph, isNode, typeOf } from '../graph/graph.ts';
import { transpose } from '../operators/movement/transpose.ts';
import { globalAveragePoolOperator } from '../operators/pooling/globalAveragePool.ts';
import { maxPoolOperator } from '../operators/pooling/maxPool.ts';
import { reduceMean } from '../operators/reduce/meanAndMax.ts';
import { type ActivationMap, classFeeds, classGradient, scaledRows } from './classGradient.ts';
import type { ClassifierGraph, ImageBatch } from './classifier.ts';
import type { Placement } from './graphClassifier.ts';

/** Whether a network has a feature map ahead of its classifier: what Grad-CAM needs. */
export function hasFeatureMap(graph: Graph): boolean {
  return featureMapOf(graph) !== undefined;
}

/**
 * The last feature map, behind its last activation or norm and ahead of the global pool: `[N, C, H, W]`, or `[N, H, W, C]` of
 * networks whose tokens lie in rows and columns. Of AlexNet and VGG, whose Linears see the places of a map apart, what their
 * convolutions end with: the last max pool.
 */
function featureMapOf(graph: Graph): string | undefined {
  const pool = graph.nodes.findLast((node) => isNode(node, globalAveragePoolOperator) || poolsTokens(graph, node));
  return pool ? pool.inputs[0] : graph.nodes.findLast((node) => isNode(node, maxPoolOperator))?.outputs[0];
}

function poolsTokens(graph: Graph, node: Graph['nodes'][number]): boolean {
  if (!isNode(node, reduceMean)) return false;
  const { shape } = typeOf(graph, node.inputs[0] ?? '');
  return shape.length === 4 && node.attributes.axes.join() === '1,2';
}

/** A graph whose outputs are the feature map `[N, C, H, W]` and the gradient of the class's score by it. */
function withGradient(forward: Graph): Graph {
  const map = featureMapOf(forward);
  if (map === undefined) throw new Error('the network has no feature map');
  const { builder, gradients } = classGradient(forward, [map]);
  const isImage = typeOf(forward, map).axes === 'image';
  const planes = (value: string) => (isImage ? value : transpose(builder, value, [0, 3, 1, 2]));
  return finishGraph(builder, [planes(map), planes(gradients.get(map) ?? '')]);
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
  const model = await engine.compileInference(graphs, state, device);
  try {
    const outputs = await model.run(classFeeds(graph, images, classPositions));
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
