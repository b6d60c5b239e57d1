import type { ModelIndex } from '../modelIndex.ts';
import { attribute, constantShape, declaredShape, integerAttribute } from '../modelIndex.ts';
import type { OnnxNode } from '../onnxModel.ts';
import { onnxNumber } from '../onnxModel.ts';

/** The layer of a foreign model that turns features into class scores. */
export interface ClassifierLayer {
  /** The model's output that the scores come out of. */
  readonly output: string;
  /** The value that the layer reads. */
  readonly features: string;
  readonly featureCount: number;
  /** 2 for `[N, F]`, 4 for a map `[N, F, H, W]`. */
  readonly featureRank: 2 | 4;
  readonly classes: number;
  /** What is done to the scores before they come out. */
  readonly activation: 'none' | 'softmax' | 'sigmoid';
}

/** Operators between the classifier and the output that leave the order of the scores as it is. */
const looksThrough = new Set([
  'Reshape',
  'Flatten',
  'Squeeze',
  'Unsqueeze',
  'Transpose',
  'GlobalAveragePool',
  'GlobalMaxPool',
  'AveragePool',
  'ReduceMean',
  'Relu',
  'Dropout',
  'Identity',
  'Cast',
  'Softmax',
  'LogSoftmax',
  'Sigmoid',
]);

/** The same, where all inputs but one are constants: a bias or a factor. */
const looksThroughWithConstant = new Set(['Add', 'Sub', 'Mul', 'Div']);

/**
 * The last Gemm, MatMul or 1x1 Conv before class scores, searched backwards from the outputs in their order; undefined
 * where none of them comes from one. Whether scores or features come out of the layer nobody can see, so a file that ends
 * at features behind such a layer needs them named. The output named `features` is left out.
 */
export function findClassifier(index: ModelIndex): ClassifierLayer | undefined {
  for (const { name } of index.graph.output) {
    const classifier = name === 'features' ? undefined : classifierBefore(index, name);
    if (classifier) return classifier;
  }
  return undefined;
}

function classifierBefore(index: ModelIndex, output: string): ClassifierLayer | undefined {
  let activation: ClassifierLayer['activation'] = 'none';
  let value: string | undefined = output;
  const seen = new Set<OnnxNode>();
  while (value !== undefined) {
    const node = index.producers.get(value);
    // A node that was seen before reads what it makes: no model that can be run.
    if (!node || seen.has(node)) return undefined;
    seen.add(node);
    const layer = layerOf(index, node);
    if (layer) return { output, activation, ...layer };
    if (node.opType === 'Softmax') activation = 'softmax';
    if (node.opType === 'Sigmoid') activation = 'sigmoid';
    value = scoresInput(index, node);
  }
  return undefined;
}

/** The input of a node that the scores come in through; undefined where the node makes them anew. */
function scoresInput(index: ModelIndex, node: OnnxNode): string | undefined {
  if (looksThrough.has(node.opType)) return node.input[0];
  const computed = node.input.filter((name) => !index.constants.has(name));
  return looksThroughWithConstant.has(node.opType) && computed.length === 1 ? computed[0] : undefined;
}

type Layer = Omit<ClassifierLayer, 'output' | 'activation'>;

function layerOf(index: ModelIndex, node: OnnxNode): Layer | undefined {
  const [features, weights] = node.input;
  const shape = weights === undefined ? undefined : weightsShape(index, weights);
  if (features === undefined || !shape) return undefined;
  if (node.opType === 'Conv') {
    const [classes = 0, featureCount = 0, ...kernel] = shape;
    if (integerAttribute(node, 'group', 1) !== 1 || kernel.some((size) => size !== 1)) return undefined;
    return { features, featureCount, featureRank: 4, classes };
  }
  const [first, second] = shape;
  if (!/^(Gemm|MatMul)$/.test(node.opType) || first === undefined || second === undefined) return undefined;
  const transposed = node.opType === 'Gemm' && integerAttribute(node, 'transB', 0) === 1;
  const [featureCount, classes] = transposed ? [second, first] : [first, second];
  return { features, featureCount, featureRank: 2, classes };
}

/** A constant's shape, also that of one which is held in another type and cast. */
function weightsShape(index: ModelIndex, value: string): readonly number[] | undefined {
  const node = index.producers.get(value);
  return constantShape(index, node?.opType === 'Cast' ? (node.input[0] ?? '') : value);
}

/** Operators that give as many channels as their first input has. */
const keepsChannels = new Set([
  'Relu',
  'LeakyRelu',
  'PRelu',
  'Elu',
  'Selu',
  'Gelu',
  'Sigmoid',
  'HardSigmoid',
  'HardSwish',
  'Clip',
  'Tanh',
  'Softplus',
  'Mish',
  'Dropout',
  'Identity',
  'LRN',
  'MaxPool',
  'AveragePool',
  'GlobalAveragePool',
  'GlobalMaxPool',
  'Pad',
  'Add',
  'Mul',
  'Sub',
  'Div',
]);

/**
 * Size of axis 1 of a value: as the file declares it, or as the operators before it show; undefined where neither
 * says.
 */
export function channelsOf(index: ModelIndex, value: string): number | undefined {
  // Values in the order in which they come up, each once: a model may join its values without end.
  const known = new Map<string, number | undefined>();
  const begun = new Set<string>();
  const open = [value];
  for (let name = open.at(-1); name !== undefined; name = open.at(-1)) {
    const found = known.has(name) ? undefined : channelsOrSources(index, name);
    if (Array.isArray(found) && !begun.has(name)) {
      begun.add(name);
      for (const source of found) if (!begun.has(source)) open.push(source);
      continue;
    }
    if (!known.has(name)) known.set(name, Array.isArray(found) ? sumOf(found, known) : found);
    open.pop();
  }
  return known.get(value);
}

/** The size of axis 1, or the values whose sizes add up to it. */
function channelsOrSources(index: ModelIndex, value: string): number | string[] | undefined {
  const declared = declaredShape(index, value)?.[1];
  if (declared !== undefined) return declared;
  const node = index.producers.get(value);
  if (!node) return undefined;
  const layer = layerOf(index, node);
  if (layer) return layer.classes;
  const [first = '', second = ''] = node.input;
  if (node.opType === 'Conv' || node.opType === 'BatchNormalization') return constantShape(index, second)?.[0];
  if (keepsChannels.has(node.opType)) return [index.constants.has(first) ? second : first];
  if (node.opType === 'Concat') return integerAttribute(node, 'axis', 1) === 1 ? node.input : undefined;
  return dropsOnlyMap(index, node) ? [first] : undefined;
}

function sumOf(names: readonly string[], known: ReadonlyMap<string, number | undefined>): number | undefined {
  let sum = 0;
  for (const name of names) {
    const size = known.get(name);
    if (size === undefined) return undefined;
    sum += size;
  }
  return sum;
}

/** Whether a node takes height and width away and keeps the channels: a mean over both, or what follows a global pool. */
function dropsOnlyMap(index: ModelIndex, node: OnnxNode): boolean {
  if (node.opType === 'ReduceMean') {
    const axes = attribute(node, 'axes')?.ints?.map(onnxNumber);
    return axes?.every((axis) => axis !== 0 && axis !== 1) ?? false;
  }
  if (!/^(Flatten|Squeeze)$/.test(node.opType)) return false;
  return index.producers.get(node.input[0] ?? '')?.opType.startsWith('Global') ?? false;
}
