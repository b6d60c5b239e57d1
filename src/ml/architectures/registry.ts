import type { GraphBuilder } from '../graph/builder.ts';
import { createGraphBuilder, finishGraph, globalAveragePool, input, linear } from '../graph/builder.ts';
import type { Graph } from '../graph/graph.ts';
import { typeOf } from '../graph/graph.ts';
import { elementCount } from '../graph/tensor.ts';
import { convnetChannels, convnetFeatures } from './convnet.ts';
import { densenetFeatureCount, densenetFeatures, densenets } from './densenet.ts';
import type { HeadOptions } from './head.ts';
import { buildHead } from './head.ts';
import { resnetFeatureCount, resnetFeatures, resnets } from './resnet.ts';
import { squeezenetClassifier, squeezenetFeatureCount, squeezenetFeatureMap, squeezenets } from './squeezenet.ts';

export type ArchitectureFamily = 'resnet' | 'densenet' | 'convnet' | 'squeezenet';

/** One network that can be trained and used by name. */
export interface Architecture {
  /** As torchvision, or the report, calls it: `resnet18`, `ConvNet2`. */
  readonly name: string;
  readonly family: ArchitectureFamily;
  /** As people write it: `ResNet-18`. */
  readonly title: string;
  /** Module that the head replaces. */
  readonly classifier: 'fc' | 'classifier';
  /** Number of features that the classifier sees. */
  readonly features: number;
  /** Side in pixels of the square images that its pretrained weights were trained on. */
  readonly inputSize: number;
  /** Parameter tensors of the network with its own classifier, which is what the report counts. */
  readonly originalTensors: number;
  /** Parameters (numbers) of the network with its own classifier. */
  readonly originalParameters: number;
}

/** The classifier at the end: the network's own of 1000 classes, or a head that takes its place. */
export type NetworkHead = 'original' | HeadOptions;

/** Classes of torchvision's networks: ImageNet's. */
const originalClasses = 1000;
const inputSize = 224;

interface Definition extends Omit<Architecture, 'name' | 'inputSize' | 'originalTensors' | 'originalParameters'> {
  /** Images -> features `[N, F]`. */
  readonly featureVector: (builder: GraphBuilder, images: string) => string;
  /** Images -> logits of the network's own classifier, where that is not a Linear on the features. */
  readonly original?: (builder: GraphBuilder, images: string) => string;
}

const definitions = new Map<string, Definition>([
  ...Object.entries(resnets).map(([name, variant]): [string, Definition] => [
    name,
    {
      family: 'resnet',
      title: name.replace('resnet', 'ResNet-'),
      classifier: 'fc',
      features: resnetFeatureCount(variant),
      featureVector: (builder, images) => resnetFeatures(builder, variant, images),
    },
  ]),
  ...Object.entries(densenets).map(([name, variant]): [string, Definition] => [
    name,
    {
      family: 'densenet',
      title: name.replace('densenet', 'DenseNet-'),
      classifier: 'classifier',
      features: densenetFeatureCount(variant),
      featureVector: (builder, images) => densenetFeatures(builder, variant, images),
    },
  ]),
  ...[1, 2, 3].map((blocks): [string, Definition] => [`ConvNet${blocks}`, convnet(blocks)]),
  ...Object.entries(squeezenets).map(([name, variant]): [string, Definition] => [
    name,
    {
      family: 'squeezenet',
      title: name.replace('squeezenet', 'SqueezeNet ').replace('_', '.'),
      classifier: 'classifier',
      features: squeezenetFeatureCount,
      featureVector: (builder, images) => globalAveragePool(builder, squeezenetFeatureMap(builder, variant, images)),
      original: (builder, images) =>
        squeezenetClassifier(builder, squeezenetFeatureMap(builder, variant, images), originalClasses),
    },
  ]),
]);

/** Names of all networks on offer, in the order in which lists show them. */
export const architectureNames: readonly string[] = [...definitions.keys()];

function convnet(blocks: number): Definition {
  return {
    family: 'convnet',
    title: `ConvNet${blocks}`,
    classifier: 'fc',
    features: convnetChannels,
    featureVector: (builder, images) => convnetFeatures(builder, blocks, images),
  };
}

/** A network's name as this file writes it, whatever capitals it was typed with. Whether there is such a network is not asked. */
export function canonicalName(name: string): string {
  const depth = /^convnet(\d+)$/iu.exec(name)?.[1];
  return depth === undefined ? name.toLowerCase() : `ConvNet${depth}`;
}

function definitionOf(name: string): Definition {
  const depth = /^ConvNet([1-9]\d{0,2})$/.exec(name)?.[1];
  const definition = definitions.get(name) ?? (depth === undefined ? undefined : convnet(Number(depth)));
  if (!definition) {
    const names = architectureNames.join(', ');
    throw new RangeError(
      `there is no architecture named "${name}"; choose one of ${names}, or ConvNetN for any depth N`,
    );
  }
  return definition;
}

/**
 * Appends a network to `builder`: images `[N, 3, H, W]` float32 -> its output `[N, classes]`, which are raw logits of
 * torchvision's own classifier for `'original'` (dropout left out, as in eval mode) and log-probabilities for a head.
 * Parameters are declared in torch's order under torchvision 0.14's names; dropout masks are inputs (see `buildHead`).
 * Throws `RangeError` for an unknown name.
 */
export function buildNetwork(name: string, builder: GraphBuilder, images: string, head: NetworkHead): string {
  const { classifier, featureVector, original } = definitionOf(name);
  if (head === 'original' && original) return original(builder, images);
  const features = featureVector(builder, images);
  return head === 'original'
    ? linear(builder, classifier, features, originalClasses)
    : buildHead(builder, classifier, features, head);
}

/**
 * A network's graph on its own: images `[1, 3, size, size]` to its output. Throws `RangeError` for an unknown network.
 */
export function networkGraph(name: string, head: NetworkHead, size = inputSize): Graph {
  const builder = createGraphBuilder();
  const images = input(builder, 'images', [1, 3, size, size]);
  return finishGraph(builder, [buildNetwork(name, builder, images, head)]);
}

/**
 * Facts about a network by name; `ConvNetN` for any depth N from 1 to 999.
 * Throws `RangeError` with the list of names for an unknown one.
 */
export function architecture(name: string): Architecture {
  const { family, title, classifier, features } = definitionOf(name);
  const graph = networkGraph(name, 'original');
  const sizes = graph.parameters.map((parameter) => elementCount(typeOf(graph, parameter).shape));
  return {
    name,
    family,
    title,
    classifier,
    features,
    inputSize,
    originalTensors: sizes.length,
    originalParameters: sizes.reduce((sum, size) => sum + size, 0),
  };
}

/** Facts about every network of `architectureNames`; counting all their parameters takes some 50 milliseconds. */
export function listArchitectures(): readonly Architecture[] {
  return architectureNames.map(architecture);
}
