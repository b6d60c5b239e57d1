import { basename } from 'node:path';
import { userError } from '../../protocol/errors.ts';
import type { Preprocessing } from '../../protocol/preprocessing.ts';
import type { Pool } from '../../protocol/trainingConfig.ts';
import { locateBackbone } from '../weights/onnxBackbones.ts';
import { namedNetwork } from '../networks/registry.ts';
import { isOutOfMemory } from '../engine/outOfMemory.ts';
import type { ClassScores } from '../onnx/foreign/featuresAndScores.ts';
import type { Graph } from '../graph/graph.ts';
import type { HeadOptions } from '../networks/layers/head.ts';
import type { Network } from '../networks/network.ts';
import { imagenetPixels } from '../networks/weightSets.ts';
import { readReportCheckpoint, type ReportCheckpoint } from '../weights/reportCheckpoint.ts';
import { stateShapes } from '../networks/stateShapes.ts';
import { networkOfCheckpoint, openFeatures } from './openBackbone.ts';
import { saysPixels, suggestedConstants, withGiven } from './backbonePreprocessing.ts';
import { labelsOf } from './ownWeights.ts';
import { statedFacts } from './statedFacts.ts';
import type { Classifier, ClassifierGraph } from './classifier.ts';
import { isAsStamped } from './exportDigest.ts';
import { readOnnxFile, scoresOf } from './foreignModel.ts';
import { tryModel } from './modelTrial.ts';
import { createGraphClassifier, type Placement } from './graphClassifier.ts';
import { readUsableCheckpoint, usableGraph } from './usableCheckpoint.ts';
import { createScoresClassifier } from './scoresClassifier.ts';
import { type NamedWeights, pretrainedGraph, type WeightsOptions } from './pretrainedGraph.ts';

/** What a classifier is made of. Paths are those of files. */
export type ClassifierSource =
  /** One of ours, an ONNX file that was exported from one, or a `.pth` that the report's script wrote. */
  | { readonly kind: 'checkpoint'; readonly file: string }
  /** ImageNet's classes with published weights, or those of a file with weights, which `labels` names. */
  | ({ readonly kind: 'architecture' } & NamedWeights)
  /** The file's own class scores. */
  | {
      readonly kind: 'backbone';
      readonly file: string;
      readonly preprocessing?: Partial<Preprocessing>;
      readonly pool?: Pool;
      /** File that names the classes, see `readClassList`. */
      readonly labels?: string;
    };

export interface LoadOptions extends WeightsOptions {
  /** Hears of choices that were made for the user. */
  readonly log?: (sentence: string) => void;
  /** Tries a foreign ONNX file before it is read here. */
  readonly trial?: typeof tryModel;
}

/** Short side for pretrained networks, before the crop: the report's, and torchvision's for their published accuracy. */
const pretrainedResize = 256;
const pretrainedCrop = 224;

/**
 * Makes a classifier of a checkpoint, a network by name, or an ONNX file. The caller disposes it. Throws a user error for
 * files and weights that are missing, damaged, newer or no classifier, and a usage error for an unknown network.
 */
export async function loadClassifier(
  source: ClassifierSource,
  placement: Placement,
  options: LoadOptions = {},
): Promise<Classifier> {
  const classifier = await loadOf(source, placement, options);
  const probabilities: Classifier['probabilities'] = async (images) => {
    try {
      return await classifier.probabilities(images);
    } catch (error) {
      if (!isOutOfMemory(error)) throw error;
      throw userError(`There is not enough memory to run ${classifier.title}: use a smaller network.`, error);
    }
  };
  return { ...classifier, probabilities };
}

async function loadOf(source: ClassifierSource, placement: Placement, options: LoadOptions): Promise<Classifier> {
  switch (source.kind) {
    case 'checkpoint': {
      const { file } = source;
      if (/\.onnx$/i.test(file)) return scoresClassifier({ kind: 'backbone', file }, placement, options);
      const isTorch = /\.(pth|pt)$/i.test(file);
      const graph = await (isTorch ? reportGraph(file) : checkpointGraph(file, placement, options.trial));
      return createGraphClassifier(graph, placement);
    }
    case 'architecture':
      return createGraphClassifier(await pretrainedGraph(source, options, options.log), placement);
    case 'backbone':
      return scoresClassifier(await locateBackbone(source, options), placement, options);
  }
}

async function checkpointGraph(
  file: string,
  placement: Placement,
  trial: LoadOptions['trial'],
): Promise<ClassifierGraph> {
  const checkpoint = await readUsableCheckpoint(file);
  const { head, classes, preprocessing, calibration } = checkpoint.metadata;
  const { network, backbone } = await networkOfCheckpoint(file, checkpoint.metadata, trial);
  const graphFor = (batchSize: number) => usedGraph(network, head, preprocessing, batchSize);
  const features = backbone && (await openFeatures(backbone, preprocessing, placement));
  const { reference } = network;
  const made = { title: file, network: reference, graphFor, features, state: checkpoint.state };
  return { ...made, labels: classes, preprocessing, calibration };
}

/** A network with a head as it is used: decoded pixels, where it starts from images, and no dropout. */
function usedGraph(network: Network, head: HeadOptions, preprocessing: Preprocessing, batchSize: number): Graph {
  return network.graph({ ...head, dropout: 0 }, { batchSize, size: preprocessing.crop, pixels: preprocessing });
}

/** Short side in the report's script, for validation and testing. */
const reportResize = 255;

async function reportGraph(file: string): Promise<ClassifierGraph> {
  const headOf = ({ hidden, classes }: Pick<ReportCheckpoint, 'hidden' | 'classes'>) => ({
    hidden: [...hidden],
    dropout: 0,
    classes: classes.length,
  });
  const report = await readReportCheckpoint(file, (said) =>
    stateShapes(
      usableGraph(file, () => namedNetwork(said.modelName).graph(headOf(said), { batchSize: 1, size: pretrainedCrop })),
    ),
  );
  const { modelName, classes, state } = report;
  const preprocessing = imagenetPixels({ resize: reportResize, crop: pretrainedCrop });
  const network = namedNetwork(modelName);
  const graphFor = (batchSize: number) => usedGraph(network, headOf(report), preprocessing, batchSize);
  return { title: file, network: network.reference, graphFor, state, labels: classes, preprocessing };
}

async function scoresClassifier(
  { file, preprocessing = {}, labels: labelsFile }: Extract<ClassifierSource, { kind: 'backbone' }>,
  placement: Placement,
  { log = () => undefined, trial = tryModel }: LoadOptions,
): Promise<Classifier> {
  const read = await readOnnxFile(file);
  if (isAsStamped(read.bytes) === false) {
    log(`${basename(file)} was changed or damaged since it was exported, so it may not answer as its checkpoint does.`);
  }
  await trial(read, { kind: 'scores' }, preprocessing.crop ?? pretrainedCrop);
  const scores = scoresOf(read);
  const facts = statedFacts(file, scores);
  const own = facts?.preprocessing ?? {
    ...sizeFor(scores),
    ...suggestedConstants(file, scores, scores, saysPixels(preprocessing) ? undefined : log),
  };
  if (facts && facts.labels.length !== scores.classes) {
    throw userError(`${file} names ${facts.labels.length} classes and scores ${scores.classes}: export it again.`);
  }
  const { classes, background } = scores;
  const named = labelsFile === undefined ? facts?.labels : undefined;
  const labels = named ?? (await labelsOf(file, background ? classes - 1 : classes, labelsFile, log));
  const calibration = facts?.calibration;
  const prepared = withGiven(own, preprocessing);
  return createScoresClassifier({ file, scores, preprocessing: prepared, labels, calibration }, placement);
}

function sizeFor({ imageSize = pretrainedCrop }: ClassScores): Pick<Preprocessing, 'resize' | 'crop'> {
  return { resize: Math.max(pretrainedResize, imageSize), crop: imageSize };
}
