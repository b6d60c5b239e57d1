import { usageError } from '../../protocol/errors.ts';
import type { Preprocessing } from '../../protocol/preprocessing.ts';
import type { HubPin, TimmArchitecture, TimmConfig } from '../../protocol/timmConfig.ts';
import { methods } from '../../protocol/trainingConfig.ts';
import type { GraphBuilder } from '../graph/graph.ts';
import { createGraphBuilder, finishGraph, input } from '../graph/builder.ts';
import { linear } from '../operators/matmul/linear.ts';
import { normalize } from '../operators/elementwise/normalize.ts';
import type { Graph } from '../graph/graph.ts';
import { typeOf } from '../graph/graph.ts';
import { pixelConstants } from '../graph/pixelConstants.ts';
import { elementCount } from '../graph/tensor.ts';
import { alexnet } from './alexnet.ts';
import { convnet } from './convnet.ts';
import { convnext } from './convnext.ts';
import { densenet } from './densenet.ts';
import { efficientnet } from './efficientnet.ts';
import type { Family, LearnedPositions, Variant } from './family.ts';
import type { HeadOptions } from './layers/head.ts';
import { buildHead } from './layers/head.ts';
import { maxvit } from './maxvit.ts';
import { mobilenetV2 } from './mobilenetV2.ts';
import { googlenet } from './googlenet.ts';
import { inceptionV3 } from './inceptionV3.ts';
import { mnasnet } from './mnasnet.ts';
import { mobilenetV3 } from './mobilenetV3.ts';
import { type GraphOptions, type ImageDemands, imagesInput, type Network, type NetworkReference } from './network.ts';
import { nearNames } from './nearNames.ts';
import { onnxFileNetwork } from './onnxFile.ts';
import { imagenetPixels, type PretrainedWeights, usualSize } from './weightSets.ts';
import { regnet } from './regnet.ts';
import { resnet } from './resnet.ts';
import { shufflenetV2 } from './shufflenetV2.ts';
import { squeezenet } from './squeezenet.ts';
import { swin } from './swin.ts';
import { pinnedWeights, timmWeights } from './timm.ts';
import { timmConvnext } from './timmConvnext.ts';
import { timmEfficientnetV2 } from './timmEfficientnetV2.ts';
import { timmEva } from './timmEva.ts';
import { timmMobilenetV4 } from './timmMobilenetV4.ts';
import { timmVit } from './timmVit.ts';
import { vgg } from './vgg.ts';
import { vit } from './vit.ts';

/** Every family, in the order in which lists show their networks. */
const families: readonly Family[] = [
  resnet,
  densenet,
  mobilenetV2,
  mobilenetV3,
  timmMobilenetV4,
  efficientnet,
  timmEfficientnetV2,
  regnet,
  convnext,
  vit,
  swin,
  maxvit,
  timmVit,
  timmEva,
  timmConvnext,
  shufflenetV2,
  mnasnet,
  squeezenet,
  inceptionV3,
  googlenet,
  vgg,
  alexnet,
  convnet,
];

/** A network of a family. */
export interface NamedNetwork extends Network, Pick<Variant, 'title' | 'features'> {
  /** As torchvision, timm or the report calls it: `resnet18`, `timm/NAME.TAG`, `ConvNet2`. */
  readonly name: string;
  /** Its family, as lists group networks. */
  readonly family: string;
  readonly isTransformer: boolean;
  /** Classes of its own classifier; 0 where it has none. */
  readonly classes: number;
  /** Module that is the last layer of its own classifier. */
  readonly ownClassifier: string;
  /** Sets of weights that can be had by name; the first is taken where none is named. */
  readonly weights: readonly PretrainedWeights[];
  /** How images are prepared for weights that are none of the published. */
  readonly preprocessing: Preprocessing;
  readonly licence: string | undefined;
  readonly extraTensors: RegExp | undefined;
  /** How timm builds it with the same tensors under the same names; undefined where it does not. */
  readonly timm: TimmArchitecture | undefined;
  readonly positions: LearnedPositions | undefined;
  readonly graph: (head: NetworkHead, options: GraphOptions) => Graph;
}

/** The classifier at the end: the network's own, or a head that takes its place. */
export type NetworkHead = 'original' | HeadOptions;

/** Classes of most networks: ImageNet's. */
const originalClasses = 1000;

/** Names of all networks that are known, in the order in which lists show them. */
export const networkNames: readonly string[] = families.flatMap(({ variants }) => Object.keys(variants));

/** A network's name as this file writes it, whatever capitals it was typed with. Whether there is such a network is not asked. */
export function canonicalName(name: string): string {
  const small = name.toLowerCase();
  const listed = networkNames.find((known) => known.toLowerCase() === small);
  return listed ?? small.replace(/^convnet(?=\d)/u, 'ConvNet');
}

interface Described {
  readonly family: Family;
  readonly variant: Variant;
}

function describedBy(name: string, pin?: HubPin): Described {
  for (const family of families) {
    const { variants, unlisted } = family;
    const variant = Object.hasOwn(variants, name) ? variants[name] : unlisted?.(name);
    if (!variant) continue;
    if (!pin) return { family, variant };
    const [first] = variant.weights;
    return { family, variant: { ...variant, weights: first ? [pinnedWeights(name, first, pin)] : [] } };
  }
  if (pin?.config) return describedByHub(name, pin, pin.config);
  const near = nearNames(name, networkNames);
  const hint = near.length > 0 ? `did you mean ${near.join(' or ')}? ` : '';
  throw new RangeError(
    `there is no network named "${name}"; ${hint}\`fivecrop networks\` lists all, and ConvNetN is one for any depth N`,
  );
}

/** A network of timm that no table lists. */
function describedByHub(name: string, pin: HubPin, config: TimmConfig): Described {
  try {
    for (const family of families) {
      const network = family.fromTimm?.(config);
      const weights = [pinnedWeights(name, timmWeights(name, { config, pin }), pin)];
      if (network) return { family, variant: { classes: config.num_classes, ...network, timm: config, weights } };
    }
  } catch (error) {
    if (error instanceof RangeError) throw new RangeError(`${name} cannot be used: ${error.message}`, { cause: error });
    throw error;
  }
  const built = families.filter(({ fromTimm }) => fromTimm).map(({ title }) => title);
  throw new RangeError(
    `${name} is a network of the architecture ${config.architecture}, and of timm only those of ${built.join(', ')} are supported`,
  );
}

/**
 * A network by its exact name; `ConvNetN` for any depth N from 1 to 999; a `timm/NAME.TAG` that no table lists by what the
 * hub says of it, `pin`. Throws `RangeError` for an unknown name.
 */
export function namedNetwork(name: string, pin?: HubPin): NamedNetwork {
  const described = describedBy(name, pin);
  const { family, variant } = described;
  const { title, features, weights, multipleOf, positions } = variant;
  const preprocessing = variant.preprocessing ?? weights[0]?.preprocessing ?? imagenetPixels();
  return {
    reference: { kind: 'architecture', name, ...(pin ? { hub: pin } : {}) },
    name,
    title,
    family: family.title,
    isTransformer: family.transformer === true,
    features,
    classes: variant.classes ?? originalClasses,
    classifier: family.classifier,
    ownClassifier: family.ownClassifier ?? family.classifier,
    initialise: variant.initialise ?? family.initialise,
    preprocessing,
    images: { ...pixelsOf(preprocessing), size: undefined, multipleOf, resize: undefined },
    methods,
    licence: weights[0]?.licence ?? family.licence,
    extraTensors: family.extraTensors,
    timm: variant.timm,
    positions,
    weights: weights.map((set) => ({ ...set, network: name })),
    graph: (head, options) => graphOf(described, head, options),
  };
}

/** What a network wants of its images with weights that were trained with this preprocessing. */
export function pixelsOf({ resize, crop, ...constants }: Preprocessing): Pick<ImageDemands, 'constants' | 'usual'> {
  return { constants, usual: { resize, crop } };
}

function graphOf(
  described: Described,
  head: NetworkHead,
  { batchSize, size, pixels, batchNorm, dropout }: GraphOptions,
): Graph {
  const builder = createGraphBuilder(batchNorm, dropout);
  const shape = [batchSize, 3, size, size];
  const prepared = pixels
    ? normalize(builder, input(builder, imagesInput, shape, 'uint8'), pixelConstants(pixels))
    : input(builder, imagesInput, shape);
  return finishGraph(builder, [build(described, builder, prepared, head)]);
}

/** The network that a checkpoint or a run names. Throws `RangeError` with the list of names for an unknown one. */
export function networkOf(reference: NetworkReference): Network {
  return reference.kind === 'architecture' ? namedNetwork(reference.name, reference.hub) : onnxFileNetwork(reference);
}

/** Every network of `networkNames`. */
export function listNetworks(): readonly NamedNetwork[] {
  return networkNames.map((name) => namedNetwork(name));
}

/**
 * Appends a network to `builder`: images `[N, 3, H, W]` float32 -> its output `[N, classes]`, which are raw logits of
 * its own classifier for `'original'` (dropout left out, as in eval mode; the features where it has none) and
 * log-probabilities for a head.
 * Parameters are declared in torch's order under torchvision's names; dropout masks are inputs (see `buildHead`), and dropout
 * that the network has itself is as the builder says.
 * Throws `RangeError` for an unknown name.
 */
export function buildNetwork(name: string, builder: GraphBuilder, images: string, head: NetworkHead): string {
  return build(describedBy(name), builder, images, head);
}

function build({ family, variant }: Described, builder: GraphBuilder, images: string, head: NetworkHead): string {
  const { classifier, ownClassifier = classifier } = family;
  const { build: buildFeatures, buildOriginal, classes = originalClasses } = variant;
  if (head === 'original' && buildOriginal) return buildOriginal(builder, images);
  const features = buildFeatures(builder, images);
  if (head !== 'original') return buildHead(builder, classifier, features, head);
  return classes === 0 ? features : linear(builder, ownClassifier, features, classes);
}

/** A network's graph for one prepared image of `size` pixels. Throws `RangeError` for an unknown network. */
export function networkGraph(name: string, head: NetworkHead, size = usualSize): Graph {
  return graphOf(describedBy(name), head, { batchSize: 1, size });
}

/**
 * Parameter tensors of a network with its own classifier, which is what the report counts, and the numbers in them. Some
 * milliseconds each. Throws `RangeError` for an unknown name.
 */
export function countParameters(name: string): ParameterCount {
  const known = counted.get(name);
  if (known) return known;
  const graph = networkGraph(name, 'original');
  const sizes = graph.parameters.map((parameter) => elementCount(typeOf(graph, parameter).shape));
  const count = { tensors: sizes.length, parameters: sizes.reduce((sum, size) => sum + size, 0) };
  counted.set(name, count);
  return count;
}

/** Of networks by their names: lists are shown again and again. */
const counted = new Map<string, ParameterCount>();

interface ParameterCount {
  readonly tensors: number;
  readonly parameters: number;
}

/**
 * The weights that a network is fetched with by its name: the set that is named, or its first; as `pin` fixes them. Throws a
 * usage error that lists what there is.
 */
export function pretrainedWeights(name: string, set?: string, pin?: HubPin): PretrainedWeights {
  const sets = pin || networkNames.includes(name) ? namedNetwork(name, pin).weights : [];
  const wanted = set === undefined ? sets[0] : sets.find((weights) => weights.name === set);
  if (wanted) return wanted;
  if (sets.length > 0) {
    const known = sets.map((weights) => weights.name).join(' and ');
    throw usageError(`${name} has no pretrained weights named ${String(set)}: choose ${known}, or give a file.`);
  }
  throw usageError(
    `There are no pretrained weights for ${name}: choose one of those that \`fivecrop networks\` lists with weights, give a file with \`--weights\`, or train from scratch with \`--weights none\`.`,
  );
}
