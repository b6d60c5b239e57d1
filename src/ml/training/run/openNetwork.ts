import { resolve } from 'node:path';
import type { Preprocessing } from '../../../protocol/preprocessing.ts';
import type { TrainingConfig } from '../../../protocol/trainingConfig.ts';
import { isWeightSet } from '../../../protocol/weightSetName.ts';
import { type Backbone, openBackbone, type OpenedNetwork, scoresIn } from '../../inference/openBackbone.ts';
import { suggestedConstants } from '../../inference/backbonePreprocessing.ts';
import { statedFacts } from '../../inference/statedFacts.ts';
import { readOnnxFile } from '../../inference/foreignModel.ts';
import { asUsage } from '../../networks/asUsage.ts';
import type { ImageDemands } from '../../networks/network.ts';
import { onnxFileNetwork } from '../../networks/onnxFile.ts';
import { usualSize } from '../../networks/weightSets.ts';
import { type NamedNetwork, namedNetwork, pixelsOf } from '../../networks/registry.ts';
import type { WeightsChoice } from '../../weights/locateWeights.ts';
import { publishedSet } from '../../weights/publishedSet.ts';

/** A network to be trained, and what a new run of it begins with. */
export interface NetworkToTrain extends OpenedNetwork {
  /** Weights from elsewhere; without them all that is ours begins with random ones. */
  readonly firstWeights?: FirstWeights;
  /** Licence of what it begins with, where that is known. */
  readonly licence?: string | undefined;
}

/** Weights of a whole network, which begin all of it but the head. */
export interface FirstWeights extends Pick<NamedNetwork, 'extraTensors' | 'positions'> {
  readonly network: string;
  /** The file that they are in, or how they are fetched. */
  readonly source: string | WeightsChoice;
}

/**
 * The network that a configuration names. `log` hears which constants are taken for an ONNX file's pixels where neither
 * the configuration nor the file says so; `before` is how a run that goes on prepared its images. Throws a usage error for an unknown name, and a user error where an ONNX file
 * cannot be used.
 */
export async function openNetwork(
  { network, method, imageSize = usualSize }: Pick<TrainingConfig, 'network' | 'method' | 'imageSize'>,
  log: (message: string) => void,
  before?: Preprocessing,
): Promise<NetworkToTrain> {
  if (network.kind === 'architecture') {
    const named = asUsage(() => namedNetwork(network.name, network.hub));
    const set = before !== undefined || method === 'scratch' ? undefined : await publishedSet(named, network.weights);
    const { preprocessing } = set ?? named;
    const opened = { network: { ...named, images: { ...named.images, ...pixelsOf(before ?? preprocessing) } } };
    return method === 'scratch' ? opened : { ...opened, ...firstWeightsOf(named, network) };
  }
  const file = resolve(network.file);
  const backbone = await openBackbone(
    await readOnnxFile(file),
    { output: network.featuresOutput, pool: network.pool },
    imageSize,
  );
  const { featuresOutput, pool, features } = backbone.extractor;
  const pooled = pool === undefined ? {} : { pool };
  const reference = { kind: network.kind, file, sha256: backbone.sha256, featuresOutput, ...pooled, features };
  const demands = demandsOf(backbone, network.preprocessing === undefined ? log : undefined);
  return { network: onnxFileNetwork(reference, demands), backbone, licence: network.licence };
}

function firstWeightsOf(
  { name, extraTensors, positions, licence }: NamedNetwork,
  { weights, hub: pin }: Pick<Extract<TrainingConfig['network'], { kind: 'architecture' }>, 'weights' | 'hub'>,
): Pick<NetworkToTrain, 'firstWeights' | 'licence'> {
  const facts = { network: name, extraTensors, positions };
  const isFile = weights !== undefined && !isWeightSet(weights);
  // Nobody knows what a file of weights was trained on.
  if (isFile) return { firstWeights: { ...facts, source: weights } };
  return { firstWeights: { ...facts, source: { set: weights, pin } }, licence };
}

function demandsOf(backbone: Backbone, log?: (message: string) => void): ImageDemands {
  const { file, extractor } = backbone;
  const size = extractor.imageSize;
  const stated = statedFacts(file, extractor)?.preprocessing;
  if (stated) return { constants: stated, usual: stated, size, resize: stated.resize };
  const usual = { crop: size ?? usualSize };
  return { constants: suggestedConstants(file, extractor, scoresIn(backbone), log), usual, size, resize: undefined };
}
