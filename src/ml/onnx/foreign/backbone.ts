import { checkForeign } from './checkForeign.ts';
import type { ClassifierLayer } from './findClassifier.ts';
import { channelsOf, findClassifier } from './findClassifier.ts';
import type { ModelIndex } from '../modelIndex.ts';
import { declaredShape, indexModel } from '../modelIndex.ts';
import type { OnnxModel } from '../onnxModel.ts';
import { decodeOnnx } from '../onnxModel.ts';
import type { Target, TruncatedModel } from './truncateModel.ts';
import { truncateModel } from './truncateModel.ts';

/** A foreign ONNX model cut off after its features, `[N, features]`. */
export interface FeatureExtractor extends TruncatedModel {
  /** The value of the file that the features come from; given back as `featuresOutput` it finds the same again. */
  readonly featuresOutput: string;
  readonly features: number;
}

/** A foreign ONNX model with its class scores as its only output, `[N, classes]`. */
export interface ClassScores extends TruncatedModel {
  readonly classes: number;
  /** Whether class 0 is "background" and ImageNet's 1000 classes follow. */
  readonly background: boolean;
  /** Whether the scores are probabilities already; softmax makes them so otherwise. */
  readonly probabilities: boolean;
}

/** Classes of a network that was trained on ImageNet with a background class before the 1000. */
const classesWithBackground = 1001;

function openModel(bytes: Uint8Array): { model: OnnxModel; index: ModelIndex } {
  let model: OnnxModel;
  try {
    model = decodeOnnx(bytes);
  } catch (cause) {
    throw new RangeError('the file is not an ONNX model; choose a file that an ONNX exporter wrote', { cause });
  }
  checkForeign(model);
  return { model, index: indexModel(model.graph) };
}

/**
 * Makes a feature extractor of an ONNX file of any origin. The features are the value named `featuresOutput`; without it
 * the output named `features`, or else what the last Gemm, MatMul or 1x1 Conv before the class scores reads. Maps
 * `[N, C, H, W]` are averaged over height and width. Throws `RangeError` with a sentence for the user.
 */
export function readFeatureExtractor(bytes: Uint8Array, featuresOutput?: string): FeatureExtractor {
  const { model, index } = openModel(bytes);
  const target = featuresTarget(index, featuresOutput);
  const truncated = truncateModel(model, index, target);
  return { ...truncated, featuresOutput: target.value, features: target.count };
}

function featuresTarget(index: ModelIndex, wanted: string | undefined): Target {
  const classifier = findClassifier(index);
  const named = wanted ?? index.graph.output.find(({ name }) => name === 'features')?.name;
  if (named !== undefined) return namedTarget(index, named, classifier);
  if (classifier) return classifierTarget(classifier);
  throw new RangeError(
    'no features were found in the ONNX file, because its outputs do not come from a Gemm, MatMul or 1x1 Conv; ' +
      'name the value that holds the features',
  );
}

function classifierTarget({ features, featureCount, featureRank }: ClassifierLayer): Target {
  return { value: features, count: featureCount, rank: featureRank };
}

function namedTarget(index: ModelIndex, value: string, classifier: ClassifierLayer | undefined): Target {
  if (!index.producers.has(value)) {
    const names = index.graph.output.map(({ name }) => name).join(', ');
    throw new RangeError(`the ONNX file has no value named ${value}; its outputs are: ${names}`);
  }
  if (value === classifier?.features) return classifierTarget(classifier);
  const rank = declaredShape(index, value)?.length;
  const count = channelsOf(index, value);
  if (count === undefined || (rank !== undefined && rank !== 2 && rank !== 4)) {
    throw new RangeError(
      `the value ${value} of the ONNX file cannot be used as features: it must be [N, F] or [N, C, H, W], ` +
        `with a number of features that the file says`,
    );
  }
  return { value, count, rank };
}

/**
 * Makes a classifier of an ONNX file of any origin: the output that comes from its last Gemm, MatMul or 1x1 Conv.
 * Throws `RangeError` with a sentence for the user.
 */
export function readClassScores(bytes: Uint8Array): ClassScores {
  const { model, index } = openModel(bytes);
  const classifier = findClassifier(index);
  if (!classifier) {
    throw new RangeError('the ONNX file has no class scores: no output comes from a Gemm, MatMul or 1x1 Conv');
  }
  const { output, classes, activation } = classifier;
  if (activation === 'sigmoid') {
    throw new RangeError('the ONNX file scores each class by itself (sigmoid), which does not choose one class');
  }
  const rank = declaredShape(index, output)?.length;
  const target: Target = { value: output, count: classes, rank: rank === 2 || rank === 4 ? rank : undefined };
  return {
    ...truncateModel(model, index, target),
    classes,
    background: classes === classesWithBackground,
    probabilities: activation === 'softmax',
  };
}
