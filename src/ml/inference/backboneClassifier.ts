import type { ClassLabel } from '../../protocol/checkpointMetadata.ts';
import type { Preprocessing } from '../../protocol/preprocessing.ts';
import { buildHead, type HeadOptions } from '../architectures/head.ts';
import { createGraphBuilder, finishGraph, input } from '../graph/builder.ts';
import type { Graph } from '../graph/graph.ts';
import type { ClassScores, FeatureExtractor } from '../graph/onnx/backbone.ts';
import { float32Tensor, type StateDict, type Tensor } from '../graph/tensor.ts';
import type { Classifier } from './classifier.ts';
import { probabilitiesFrom, runForOne, type Placement } from './graphClassifier.ts';
import { imagenetClasses } from './imagenetClasses.ts';
import { normalizeImages } from './normalizeImages.ts';

/** Input of the head's graph: float32 `[N, features]`. */
export const featuresInput = 'features';
/** Module name under which a backbone's head lies in a checkpoint. */
const headModule = 'classifier';

/** An ONNX file's own class scores as a classifier. A background class is left out; nothing is scaled up for it. */
export async function createScoresClassifier(
  title: string,
  scores: ClassScores,
  preprocessing: Preprocessing,
  { engine, device }: Placement,
): Promise<Classifier> {
  const model = await engine.compileOnnx(scores.model, device);
  const labels = labelsOf(scores);
  return {
    title,
    labels,
    preprocessing,
    runsOn: { engine: engine.name, device },
    probabilities: async (images) => {
      const output = await runForOne(model, scores.input, normalizeImages(images, preprocessing));
      const all = scores.probabilities ? output : probabilitiesFrom(output, scores.classes);
      return scores.background ? withoutFirstColumn(all) : all;
    },
    dispose: () => model.dispose(),
  };
}

/** ImageNet's names where the number of classes is ImageNet's; numbers for any other. */
function labelsOf({ classes, background }: ClassScores): readonly ClassLabel[] {
  if (background || classes === imagenetClasses.length) return imagenetClasses;
  return Array.from({ length: classes }, (_, index) => ({ index, folder: String(index), name: `class ${index}` }));
}

function withoutFirstColumn({ shape, data }: Tensor & { readonly dtype: 'float32' }) {
  const [rows = 0, columns = 0] = shape;
  const kept = float32Tensor([rows, columns - 1]);
  for (let row = 0; row < rows; row++) {
    kept.data.set(data.subarray(row * columns + 1, (row + 1) * columns), row * (columns - 1));
  }
  return kept;
}

export interface HeadClassifierOptions {
  readonly title: string;
  readonly features: FeatureExtractor;
  readonly head: HeadOptions;
  readonly state: StateDict;
  readonly labels: readonly ClassLabel[];
  readonly preprocessing: Preprocessing;
}

/** A head that was trained on the features of an ONNX file. */
export async function createHeadClassifier(
  options: HeadClassifierOptions,
  { engine, device }: Placement,
): Promise<Classifier> {
  const { title, features, labels, preprocessing } = options;
  const backbone = await engine.compileOnnx(features.model, device);
  const graphFor = (batchSize: number) => backboneHeadGraph(features.features, options.head, batchSize);
  const head = await engine.compileInference(graphFor, options.state, device);
  return {
    title,
    labels,
    preprocessing,
    runsOn: { engine: engine.name, device },
    probabilities: async (images) => {
      const found = await runForOne(backbone, features.input, normalizeImages(images, preprocessing));
      return probabilitiesFrom(await runForOne(head, featuresInput, found), labels.length);
    },
    dispose: async () => {
      await backbone.dispose();
      await head.dispose();
    },
  };
}

/** Features `[N, features]` -> log-probabilities, without dropout. */
export function backboneHeadGraph(features: number, head: HeadOptions, batchSize: number): Graph {
  const builder = createGraphBuilder();
  const x = input(builder, featuresInput, [batchSize, features]);
  return finishGraph(builder, [buildHead(builder, headModule, x, { ...head, dropout: 0 })]);
}
