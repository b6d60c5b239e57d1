import { createHash } from 'node:crypto';
import { usageError } from '../../protocol/errors.ts';
import type { Preprocessing } from '../../protocol/preprocessing.ts';
import type { InferenceModel } from '../engine/engine.ts';
import { type Graph, typeOf } from '../graph/graph.ts';
import { float32Tensor, type StateDict, type Tensor } from '../graph/tensor.ts';
import { locateBackbone } from '../weights/onnxBackbones.ts';
import { networkOfCheckpoint, openBackbone, openFeatures, scoresIn } from '../inference/openBackbone.ts';
import { suggestedConstants, withGiven } from '../inference/backbonePreprocessing.ts';
import { statedFacts } from '../inference/statedFacts.ts';
import type { ImageBatch } from '../inference/classifier.ts';
import { readOnnxFile } from '../inference/foreignModel.ts';
import type { Placement } from '../inference/graphClassifier.ts';
import type { ClassifierSource } from '../inference/loadClassifier.ts';
import { pretrained, type WeightsOptions } from '../inference/pretrainedGraph.ts';
import { readUsableCheckpoint } from '../inference/usableCheckpoint.ts';
import { featuresInput, imagesInput, type Network } from '../networks/network.ts';
import { imagenetPixels } from '../networks/weightSets.ts';
import { stateShapes } from '../networks/stateShapes.ts';
import { splitFrozen } from '../passes/frozenPrefix.ts';
import { readWeights } from '../weights/weightsFile.ts';

/** A network up to its classifier: what it makes of an image, one row of numbers each. */
export interface FeatureModel {
  /** Numbers of a row. */
  readonly width: number;
  readonly preprocessing: Preprocessing;
  /** Two models of one key give the same features: of network, weights and preprocessing. */
  readonly key: string;
  /** Center crops, uint8 `[N, 3, crop, crop]` -> features float32 `[N, width]`. */
  run(images: ImageBatch): Promise<Tensor & { readonly dtype: 'float32' }>;
  dispose(): Promise<void>;
}

/** Numbers that an image's quality has. */
export const qualityNumbers = 4;

/** What a network makes of images, and how they look; a row each, in the images' order. */
export interface ImageFeatures {
  readonly width: number;
  /** `[images, width]` */
  readonly features: Float32Array;
  /** `[images, qualityNumbers]`: detail, brightness, contrast, elongation, as `imageQuality.ts` has them. */
  readonly quality: Float32Array;
  /** `[images, gridBytes]`: a grid of each picture's luma (`samePicture.ts`). */
  readonly grids: Uint8Array;
  /** Whether an image has a row: 0 for those that do not decode. */
  readonly decoded: Uint8Array;
}

const pretrainedCrop = 224;

/**
 * Opens the features of a checkpoint's network (ahead of its head), of a network with pretrained weights, or of an ONNX
 * file. The caller disposes it. Throws as `loadClassifier` does.
 */
export async function openFeatureModel(
  source: ClassifierSource,
  placement: Placement,
  options: WeightsOptions & { readonly log: (sentence: string) => void },
): Promise<FeatureModel> {
  switch (source.kind) {
    case 'checkpoint':
      return ofCheckpoint(source.file, placement);
    case 'architecture':
      return ofArchitecture(source, placement, options);
    case 'backbone':
      return ofOnnxFile(source, placement, options.log, options);
  }
}

async function ofCheckpoint(file: string, placement: Placement): Promise<FeatureModel> {
  if (/\.(pth|pt)$/iu.test(file)) {
    throw usageError(
      `${file} is a file of torch: name a checkpoint of Fivecrop, or its network with --arch and --weights.`,
    );
  }
  const { metadata, state } = await readUsableCheckpoint(file);
  const { network, backbone } = await networkOfCheckpoint(file, metadata);
  const { preprocessing } = metadata;
  if (!backbone) return ofGraph(network, state, preprocessing, placement);
  const model = await openFeatures(backbone, preprocessing, placement);
  const { featuresOutput, pool } = backbone.extractor;
  const key = keyOf(backbone.sha256, [featuresOutput, pool].join(' '), preprocessing);
  return featureModel(model, { width: backbone.extractor.features, preprocessing, key });
}

async function ofArchitecture(
  { name, weights, preprocessing: given }: Extract<ClassifierSource, { kind: 'architecture' }>,
  placement: Placement,
  options: WeightsOptions,
): Promise<FeatureModel> {
  const { network, file, preprocessing: usual } = await pretrained({ name, weights }, options);
  const preprocessing = withGiven(usual, given);
  const shapes = stateShapes(wholeGraph(network, preprocessing, 1));
  const { classifier: ignore, extraTensors: extra, positions } = network;
  const state = await readWeights(file, shapes, { ignore, extra, positions, network: name });
  return ofGraph(network, state, preprocessing, placement);
}

async function ofOnnxFile(
  source: Extract<ClassifierSource, { kind: 'backbone' }>,
  placement: Placement,
  log: (sentence: string) => void,
  options: WeightsOptions,
): Promise<FeatureModel> {
  const { file, pool, preprocessing: given = {} } = await locateBackbone(source, options);
  const backbone = await openBackbone(await readOnnxFile(file), { pool }, given.crop ?? pretrainedCrop);
  const { features: width, featuresOutput, imageSize } = backbone.extractor;
  const crop = imageSize ?? given.crop ?? pretrainedCrop;
  const hear = Object.keys(given).length === 0 ? log : undefined;
  const constants =
    statedFacts(file, backbone.extractor)?.preprocessing ??
    suggestedConstants(file, backbone.extractor, scoresIn(backbone), hear);
  const preprocessing = { resize: Math.max(imagenetPixels().resize, crop), ...constants, ...given, crop };
  const model = await openFeatures(backbone, preprocessing, placement);
  return featureModel(model, {
    ...{ width, preprocessing },
    key: keyOf(backbone.sha256, [featuresOutput, backbone.extractor.pool].join(' '), preprocessing),
  });
}

/** The network with a head that is of no interest, for the graph ahead of it. */
function wholeGraph(network: Network, preprocessing: Preprocessing, batchSize: number): Graph {
  const head = { hidden: [], dropout: 0, classes: 2 };
  return network.graph(head, { batchSize, size: preprocessing.crop, pixels: preprocessing });
}

async function ofGraph(
  network: Network,
  state: StateDict,
  preprocessing: Preprocessing,
  placement: Placement,
): Promise<FeatureModel> {
  const graphFor = (batchSize: number) => {
    const whole = wholeGraph(network, preprocessing, batchSize);
    const head = new Set(whole.parameters.filter((name) => name.startsWith(`${network.classifier}.`)));
    const { prefix } = splitFrozen(whole, head);
    if (!prefix) throw new Error('the network has nothing ahead of its classifier');
    return prefix;
  };
  const graph = graphFor(1);
  const [output = ''] = graph.outputs;
  const used = new Set([...graph.parameters, ...graph.buffers]);
  const own = new Map([...state].filter(([name]) => used.has(name)));
  const model = await placement.engine.compileInference(graphFor, own, placement.device);
  const width = typeOf(graph, output)
    .shape.slice(1)
    .reduce((product, size) => product * size, 1);
  return featureModel(model, {
    width,
    preprocessing,
    key: keyOf(hashOf(own), JSON.stringify(network.reference), preprocessing),
  });
}

function featureModel(
  model: InferenceModel,
  facts: Pick<FeatureModel, 'width' | 'preprocessing' | 'key'>,
): FeatureModel {
  return {
    ...facts,
    run: async (images) => {
      const outputs = await model.run(new Map([[imagesInput, images]]));
      const [first] = outputs.values();
      const output = outputs.get(featuresInput) ?? first;
      if (output?.dtype !== 'float32') throw new Error('the network gave no float32 features');
      return float32Tensor([images.shape[0] ?? 0, facts.width], output.data);
    },
    dispose: () => model.dispose(),
  };
}

function hashOf(state: StateDict): string {
  const hash = createHash('sha256');
  for (const [name, { dtype, shape, data }] of state) {
    hash
      .update(`${name} ${dtype} ${shape.join('x')}\n`)
      .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}

function keyOf(weights: string, place: string, preprocessing: Preprocessing): string {
  const constants = JSON.stringify(Object.entries(preprocessing).sort(([a], [b]) => (a < b ? -1 : 1)));
  return createHash('sha256').update([weights, place, constants].join('\n')).digest('hex');
}
