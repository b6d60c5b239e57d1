import { cancelled } from '../../protocol/errors.ts';
import { finishGraph } from '../graph/builder.ts';
import { type Graph, type GraphBuilder, isNode, typeOf } from '../graph/graph.ts';
import { relu } from '../operators/activation/relu.ts';
import { softmaxOperator } from '../operators/activation/softmax.ts';
import { conv2dOperator } from '../operators/convolution/conv2d.ts';
import { add, mul } from '../operators/elementwise/arithmetic.ts';
import { matmul } from '../operators/matmul/matmul.ts';
import { constant } from '../operators/movement/constant.ts';
import { reshape } from '../operators/movement/reshape.ts';
import { slice, sliceOperator } from '../operators/movement/slice.ts';
import { mean } from '../operators/reduce/meanAndMax.ts';
import { type ActivationMap, classFeeds, classGradient, scaledRows } from './classGradient.ts';
import type { ClassifierGraph, ImageBatch } from './classifier.ts';
import type { Placement } from './graphClassifier.ts';

/** The attention of a network whose tokens all see each other. */
interface Attention {
  /** From the first layer to the last, softmaxes `[N, heads, asking, T]`; of the last layer fewer tokens may ask. */
  readonly layers: readonly string[];
  readonly tokens: number;
  /** Rows and columns of the patches, which are the last tokens. */
  readonly grid: readonly [rows: number, columns: number];
  /** The tokens whose mean becomes the features. */
  readonly readout: readonly [from: number, to: number];
}

/** Whether a network is a transformer whose tokens all see each other: what `attentionMap` needs. */
export function hasAttention(graph: Graph): boolean {
  return attentionOf(graph) !== undefined;
}

function attentionOf(graph: Graph): Attention | undefined {
  const layers = graph.nodes.flatMap((node) => (isNode(node, softmaxOperator) ? (node.outputs[0] ?? []) : []));
  const patches = graph.nodes.find((node) => isNode(node, conv2dOperator))?.outputs[0];
  const [first] = layers;
  if (first === undefined || patches === undefined) return undefined;
  const [count = 0, , , tokens = 0] = typeOf(graph, first).shape;
  const [, , rows = 0, columns = 0] = typeOf(graph, patches).shape;
  // Windows see only themselves, and lie along the first axis.
  const seeAll = layers.every((layer) => {
    const { shape } = typeOf(graph, layer);
    return shape.length === 4 && shape[0] === count && shape[3] === tokens;
  });
  const before = tokens - rows * columns;
  if (!seeAll || rows * columns < 2 || before < 0) return undefined;
  return { layers, tokens, grid: [rows, columns], readout: readoutOf(graph, layers, tokens) };
}

/** The tokens that are cut out at the end; all, where none are. */
function readoutOf(graph: Graph, layers: readonly string[], tokens: number): Attention['readout'] {
  const last = layers.at(-1) ?? '';
  const [, , asking = tokens] = typeOf(graph, last).shape;
  if (asking < tokens) return [0, asking];
  const behind = graph.nodes.slice(graph.nodes.findIndex(({ outputs }) => outputs.includes(last)) + 1);
  const cut = behind.findLast(
    (node) =>
      isNode(node, sliceOperator) &&
      node.attributes.axis === 1 &&
      typeOf(graph, node.inputs[0] ?? '').shape.length === 3 &&
      typeOf(graph, node.inputs[0] ?? '').shape[1] === tokens,
  );
  return isNode(cut, sliceOperator) ? [cut.attributes.start, cut.attributes.end] : [0, tokens];
}

/** A graph whose one output `[N, 1, T]` is how much of each token went into the features on the class's behalf. */
function withRelevance(forward: Graph): { readonly graph: Graph; readonly attention: Attention } {
  const attention = attentionOf(forward);
  if (!attention) throw new Error('the network has no attention of all tokens to each other');
  const { builder, gradients } = classGradient(forward, attention.layers);
  const { tokens, readout } = attention;
  const [count = 1] = typeOf(forward, attention.layers[0] ?? '').shape;
  const [from, to] = readout;
  const share = Array.from({ length: tokens }, (_, token) => (token >= from && token < to ? 1 / (to - from) : 0));
  const ofAll = (sign: number) => Array.from({ length: count }, () => share.map((each) => sign * each)).flat();
  const own = constant(builder, [count, 1, tokens], ofAll(1));
  let relevance = own;
  for (const layer of attention.layers.toReversed()) {
    const passed = passedOn(builder, layer, gradients.get(layer) ?? '');
    const [, asking = tokens] = typeOf(builder, passed).shape;
    const of = asking < tokens ? slice(builder, relevance, 2, 0, asking) : relevance;
    relevance = add(builder, relevance, matmul(builder, of, passed));
  }
  // What a token is of itself says nothing of the class.
  const minus = constant(builder, [count, 1, tokens], ofAll(-1));
  return { graph: finishGraph(builder, [add(builder, relevance, minus)]), attention };
}

/** The mean over the heads of what is positive of attention times its gradient: `[N, heads, A, T]` -> `[N, A, T]`. */
function passedOn(builder: GraphBuilder, layer: string, gradient: string): string {
  const [n = 1, , asking = 1, tokens = 1] = typeOf(builder, layer).shape;
  return reshape(builder, mean(builder, relu(builder, mul(builder, gradient, layer)), [1]), [n, asking, tokens]);
}

export interface AttentionMapOptions {
  readonly signal?: AbortSignal | undefined;
  /** Hears how many of the images have their map. */
  readonly onProgress?: (done: number) => void;
}

/**
 * Gradient-weighted attention (Chefer, Gur and Wolf 2021, "Generic Attention-Model Explainability", equations 5 and 6) of
 * images uint8 `[N, 3, S, S]`, one after the other, as all attention of a network is large: relevance begins as the identity,
 * each layer adds its attention, weighed by the gradient of the class's score before the softmax, times what was there, and
 * the row of the class token is the map, without the tokens that stand for no patch. Where the features are the mean of
 * several tokens, the map is the mean of their rows. `classPositions` has a column of the classifier's output for each image.
 * Throws a cancellation once `signal` is aborted.
 */
export async function attentionMap(
  { graphFor, state }: Pick<ClassifierGraph, 'graphFor' | 'state'>,
  images: ImageBatch,
  classPositions: readonly number[],
  { engine, device }: Placement,
  { signal, onProgress }: AttentionMapOptions = {},
): Promise<ActivationMap[]> {
  const { graph, attention } = withRelevance(graphFor(1));
  const { tokens, grid } = attention;
  const [rows, columns] = grid;
  const size = images.data.length / classPositions.length;
  const model = await engine.compileInference((batchSize) => withRelevance(graphFor(batchSize)).graph, state, device);
  const maps: ActivationMap[] = [];
  try {
    for (const [image, position] of classPositions.entries()) {
      if (signal?.aborted) throw cancelled();
      const one: ImageBatch = {
        dtype: 'uint8',
        shape: [1, ...images.shape.slice(1)],
        data: images.data.slice(image * size, (image + 1) * size),
      };
      const [relevance] = (await model.run(classFeeds(graph, one, [position]))).values();
      if (relevance?.dtype !== 'float32') throw new Error('the network gave no float32 relevance');
      const patches = relevance.data.subarray(tokens - rows * columns);
      maps.push(scaledRows([...patches].map((value) => Math.max(0, value)), columns)); // prettier-ignore
      onProgress?.(maps.length);
    }
    return maps;
  } finally {
    await model.dispose();
  }
}
