import { userError } from '../../protocol/errors.ts';
import type { Engine } from '../engine/engine.ts';
import { float32Tensor, type Tensor } from '../graph/tensor.ts';
import { imagesInput } from '../networks/network.ts';
import type { Classifier, ClassifierGraph, ImageBatch } from './classifier.ts';
import { softmaxRows } from './ranking.ts';

/** Where a classifier computes. */
export interface Placement {
  readonly engine: Engine;
  readonly device: string;
}

/** A graph of ours as a classifier. */
export async function createGraphClassifier(
  graph: ClassifierGraph,
  { engine, device }: Placement,
): Promise<Classifier> {
  const { title, graphFor, state, labels, preprocessing, calibration, features } = graph;
  const model = await engine.compileInference(graphFor, state, device);
  return {
    title,
    labels,
    preprocessing,
    calibration,
    graph,
    runsOn: { engine: engine.name, device },
    probabilities: async (images: ImageBatch) => {
      const feeds = new Map([[imagesInput, images]]);
      const [output] = (await model.run(features ? await features.run(feeds) : feeds)).values();
      if (output?.dtype !== 'float32') throw new Error('the network gave no float32 output');
      return probabilitiesFrom(title, output, labels.length);
    },
    in8Bits: () => [features, model].some((part) => part?.in8Bits?.() === true),
    dispose: async () => {
      await features?.dispose();
      await model.dispose();
    },
  };
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
