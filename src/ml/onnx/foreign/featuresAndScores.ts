import { checkForeign } from './checkForeign.ts';
import type { ClassifierLayer } from './findClassifier.ts';
import { type ModelPart, modelPart } from '../modelPart.ts';
import { channelsOf, findClassifier } from './findClassifier.ts';
import type { ModelIndex } from '../modelIndex.ts';
import { attribute, constantShape, declaredShape, indexModel } from '../modelIndex.ts';
import type { OnnxModel } from '../onnxModel.ts';
import { decodeOnnx, onnxNumber } from '../onnxModel.ts';
import type { Target, TokenPool, TruncatedModel } from './truncateModel.ts';
import { truncateModel } from './truncateModel.ts';

/** A foreign ONNX model cut off after its features, `[N, features]`. */
export interface FeatureExtractor extends TruncatedModel {
  /** The value of the file that the features come from; given back as `featuresOutput` it finds the same again. */
  readonly featuresOutput: string;
  /** How its tokens are pooled, where it gives tokens. */
  readonly pool: TokenPool | undefined;
  readonly features: number;
}

/** Which value of a file holds its features, and how tokens become features; what is not said is found. */
export interface FeatureChoice {
  readonly output?: string | undefined;
  readonly pool?: TokenPool | undefined;
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

/** Says, by a file's metadata, where in it the network lies; undefined where the whole file is one. */
export type FindPart = (metadata: ReadonlyMap<string, string>) => ModelPart | undefined;

function openModel(bytes: Uint8Array, findPart: FindPart = () => undefined): { model: OnnxModel; index: ModelIndex } {
  let model: OnnxModel;
  try {
    model = decodeOnnx(bytes);
  } catch (cause) {
    throw new RangeError('the file is not an ONNX model; choose a file that an ONNX exporter wrote', { cause });
  }
  checkForeign(model);
  const part = findPart(new Map((model.metadataProps ?? []).map(({ key, value }) => [key, value] as const)));
  if (part) model = modelPart(model, part);
  return { model, index: indexModel(model.graph) };
}

/**
 * Makes a feature extractor of an ONNX file of any origin. The features are the value named by `choice`; without it the
 * output named `features` or `pooler_output`; or else what the last Gemm, MatMul or 1x1 Conv before the class scores reads;
 * or else an output of tokens. Maps `[N, C, H, W]` are averaged over height and width, and tokens `[N, T, D]` are pooled as
 * `choice` says, by their mean over the patches without it. Throws `RangeError` with a sentence for the user.
 */
export function readFeatureExtractor(
  bytes: Uint8Array,
  choice: FeatureChoice = {},
  findPart?: FindPart,
): FeatureExtractor {
  const { model, index } = openModel(bytes, findPart);
  const target = featuresTarget(index, choice);
  const truncated = truncateModel(model, index, target);
  const pool = typeof target.rank === 'object' ? target.rank.pool : undefined;
  return { ...truncated, featuresOutput: target.value, pool, features: target.count };
}

/** Outputs that hold features by their names, as exporters of image towers write them. */
const pooledOutputs = ['features', 'pooler_output', 'image_embeds'];

function featuresTarget(index: ModelIndex, { output: wanted, pool }: FeatureChoice): Target {
  const outputs = index.graph.output.map(({ name }) => name);
  const areTokens = (name: string) => declaredShape(index, name)?.length === 3;
  if (pool !== undefined) {
    const tokens = wanted ?? outputs.find(areTokens);
    if (tokens !== undefined && areTokens(tokens)) return tokensTarget(index, tokens, pool);
    throw new RangeError(
      'the ONNX file gives no tokens [N, T, D] that could be pooled; leave the pooling (--pool) out, or name an output of tokens',
    );
  }
  const found = findClassifier(index);
  const classifier = found && !areTokens(found.output) ? found : undefined;
  const named = wanted ?? pooledOutputs.find((name) => outputs.includes(name));
  if (named !== undefined && areTokens(named)) return tokensTarget(index, named, 'mean');
  if (named !== undefined) return namedTarget(index, named, classifier);
  if (classifier) return classifierTarget(classifier);
  const tokens = outputs.find(areTokens);
  if (tokens !== undefined) return tokensTarget(index, tokens, 'mean');
  throw new RangeError(
    'no features were found in the ONNX file, because its outputs do not come from a Gemm, MatMul or 1x1 Conv; ' +
      'name the value that holds the features',
  );
}

function tokensTarget(index: ModelIndex, value: string, pool: TokenPool): Target {
  const width = declaredShape(index, value)?.[2] ?? normedWidth(index, value);
  if (width === undefined) {
    throw new RangeError(
      `the ONNX file does not say how large the tokens of ${value} are; export it again with that size`,
    );
  }
  const patches = patchMap(index);
  if (pool !== 'cls' && patches === undefined) {
    throw new RangeError(
      `in the ONNX file the tokens of patches cannot be told from others; take the class token (--pool cls)`,
    );
  }
  return { value, count: pool === 'cls+mean' ? 2 * width : width, rank: { pool, patches } };
}

/** The size of what a layer norm gives. */
function normedWidth(index: ModelIndex, value: string): number | undefined {
  const node = index.producers.get(value);
  const [, scale = ''] = node?.input ?? [];
  return node?.opType === 'LayerNormalization' ? constantShape(index, scale)?.[0] : undefined;
}

/** What the convolution gives that cuts images into patches: the first whose step is as large as its kernel. */
function patchMap({ graph }: ModelIndex): string | undefined {
  const cuts = graph.node.find((node) => {
    if (!/^(Conv|ConvInteger|QLinearConv)$/.test(node.opType)) return false;
    const sizes = (name: string) => attribute(node, name)?.ints?.map(onnxNumber).join() ?? '1,1';
    return sizes('kernel_shape') === sizes('strides') && sizes('strides') !== '1,1';
  });
  return cuts?.output[0];
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
export function readClassScores(bytes: Uint8Array, findPart?: FindPart): ClassScores {
  const { model, index } = openModel(bytes, findPart);
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
