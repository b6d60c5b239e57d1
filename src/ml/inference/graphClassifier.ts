import type { ClassLabel } from '../../protocol/checkpointMetadata.ts';
import { userError } from '../../protocol/errors.ts';
import type { Preprocessing } from '../../protocol/preprocessing.ts';
import { buildNetwork, type NetworkHead } from '../networks/registry.ts';
import type { Engine, InferenceModel } from '../engine/engine.ts';
import { createGraphBuilder, finishGraph, input, normalize } from '../graph/builder.ts';
import type { Graph } from '../graph/graph.ts';
import { pixelConstants } from '../graph/pixelConstants.ts';
import { float32Tensor, type StateDict, type Tensor } from '../graph/tensor.ts';
import type { Classifier, ImageBatch } from './classifier.ts';
import { softmaxRows } from './ranking.ts';

/** Where a classifier computes. */
export interface Placement {
  readonly engine: Engine;
  readonly device: string;
}

/** Names of the inputs of the graphs that classify, and of nothing else. */
const imagesInput = 'images';

export interface GraphClassifierOptions {
  readonly title: string;
  /** Architecture by name. */
  readonly network: string;
  readonly head: NetworkHead;
  readonly state: StateDict;
  readonly labels: readonly ClassLabel[];
  readonly preprocessing: Preprocessing;
}

/** A network of ours as a classifier; normalisation is part of its graph. */
export async function createGraphClassifier(
  options: GraphClassifierOptions,
  placement: Placement,
): Promise<Classifier> {
  const { title, labels, preprocessing } = options;
  const { engine, device } = placement;
  const model = await engine.compileInference(
    (batchSize) => classifyingGraph(options, batchSize),
    options.state,
    device,
  );
  return {
    title,
    labels,
    preprocessing,
    runsOn: { engine: engine.name, device },
    probabilities: async (images) =>
      probabilitiesFrom(title, await runForOne(model, imagesInput, images), labels.length),
    dispose: () => model.dispose(),
  };
}

/** Images uint8 `[N, 3, crop, crop]` -> logits or log-probabilities, without dropout. */
function classifyingGraph(options: GraphClassifierOptions, batchSize: number): Graph {
  const { crop } = options.preprocessing;
  const builder = createGraphBuilder('running');
  const images = input(builder, imagesInput, [batchSize, 3, crop, crop], 'uint8');
  const x = normalize(builder, images, pixelConstants(options.preprocessing));
  const head = options.head === 'original' ? 'original' : { ...options.head, dropout: 0 };
  return finishGraph(builder, [buildNetwork(options.network, builder, x, head)]);
}

/** Runs a model that has one input and one output. */
export async function runForOne(
  model: InferenceModel,
  name: string,
  images: ImageBatch | (Tensor & { readonly dtype: 'float32' }),
): Promise<Tensor & { readonly dtype: 'float32' }> {
  const [output] = (await model.run(new Map([[name, images]]))).values();
  if (output?.dtype !== 'float32') throw new Error('the network gave no float32 output');
  return output;
}

/**
 * Logits or log-probabilities `[N, classes]` as probabilities. Throws a user error that names the classifier where its
 * numbers overflow, as weights that are large beyond all sense make them.
 */
export function probabilitiesFrom(
  title: string,
  logits: Tensor & { readonly dtype: 'float32' },
  classes: number,
): Tensor & { readonly dtype: 'float32' } {
  const [rows = 0] = logits.shape;
  const probabilities = softmaxRows(Float32Array.from(logits.data), classes);
  if (probabilities.some(Number.isNaN)) {
    throw userError(`${title} gives no probabilities, because its numbers overflow: use another file.`);
  }
  return float32Tensor([rows, classes], probabilities);
}
