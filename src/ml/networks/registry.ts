import { usageError } from '../../protocol/errors.ts';
import type { GraphBuilder } from '../graph/builder.ts';
import { createGraphBuilder, finishGraph, input, linear } from '../graph/builder.ts';
import type { Graph } from '../graph/graph.ts';
import { typeOf } from '../graph/graph.ts';
import { elementCount } from '../graph/tensor.ts';
import { convnet } from './convnet.ts';
import { densenet } from './densenet.ts';
import type { Family, Variant } from './family.ts';
import type { HeadOptions } from './layers/head.ts';
import { buildHead } from './layers/head.ts';
import type { PretrainedWeights } from './pretrainedWeights.ts';
import { resnet } from './resnet.ts';
import { squeezenet } from './squeezenet.ts';

/** Every family, in the order in which lists show their networks. */
const families: readonly Family[] = [resnet, densenet, convnet, squeezenet];

/** One network that can be trained and used by name. */
export interface NamedNetwork extends Omit<Variant, 'weights'>, Pick<Family, 'classifier' | 'initialise'> {
  /** As torchvision, or the report, calls it: `resnet18`, `ConvNet2`. */
  readonly name: string;
  /** Sets of weights that can be had by name; the first is taken where none is named. */
  readonly weights: readonly PretrainedWeights[];
}

/** The classifier at the end: the network's own of 1000 classes, or a head that takes its place. */
export type NetworkHead = 'original' | HeadOptions;

/** Classes of torchvision's networks: ImageNet's. */
const originalClasses = 1000;
const inputSize = 224;

/** Names of all networks on offer, in the order in which lists show them. */
export const networkNames: readonly string[] = families.flatMap(({ variants }) => Object.keys(variants));

/** A network's name as this file writes it, whatever capitals it was typed with. Whether there is such a network is not asked. */
export function canonicalName(name: string): string {
  const small = name.toLowerCase();
  const listed = networkNames.find((known) => known.toLowerCase() === small);
  return listed ?? small.replace(/^convnet(?=\d)/u, 'ConvNet');
}

/** A network by its exact name; `ConvNetN` for any depth N from 1 to 999. Throws `RangeError` with the list of names for an unknown one. */
export function namedNetwork(name: string): NamedNetwork {
  for (const { variants, unlisted, classifier, initialise } of families) {
    const variant = Object.hasOwn(variants, name) ? variants[name] : unlisted?.(name);
    if (!variant) continue;
    const weights = variant.weights.map((set) => ({ ...set, network: name }));
    return { ...variant, name, classifier, initialise, weights };
  }
  throw new RangeError(
    `there is no network named "${name}"; choose one of ${networkNames.join(', ')}, or ConvNetN for any depth N`,
  );
}

/** Every network of `networkNames`. */
export function listNetworks(): readonly NamedNetwork[] {
  return networkNames.map(namedNetwork);
}

/**
 * Appends a network to `builder`: images `[N, 3, H, W]` float32 -> its output `[N, classes]`, which are raw logits of
 * torchvision's own classifier for `'original'` (dropout left out, as in eval mode) and log-probabilities for a head.
 * Parameters are declared in torch's order under torchvision's names; dropout masks are inputs (see `buildHead`).
 * Throws `RangeError` for an unknown name.
 */
export function buildNetwork(name: string, builder: GraphBuilder, images: string, head: NetworkHead): string {
  const { classifier, build, buildOriginal } = namedNetwork(name);
  if (head === 'original' && buildOriginal) return buildOriginal(builder, images);
  const features = build(builder, images);
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
 * Parameter tensors of a network with its own classifier, which is what the report counts, and the numbers in them. Some
 * milliseconds each. Throws `RangeError` for an unknown name.
 */
export function countParameters(name: string): { readonly tensors: number; readonly parameters: number } {
  const graph = networkGraph(name, 'original');
  const sizes = graph.parameters.map((parameter) => elementCount(typeOf(graph, parameter).shape));
  return { tensors: sizes.length, parameters: sizes.reduce((sum, size) => sum + size, 0) };
}

/** The weights that a network is fetched with by its name. Throws a usage error that lists the networks that have some. */
export function pretrainedWeights(name: string): PretrainedWeights {
  const networks = listNetworks().filter(({ weights }) => weights.length > 0);
  const [weights] = networks.find((network) => network.name === name)?.weights ?? [];
  if (weights) return weights;
  const names = networks.map((network) => network.name).join(', ');
  throw usageError(
    `There are no pretrained weights for ${name}: choose one of ${names}, give a file with \`--weights\`, or train from scratch with \`--weights none\`.`,
  );
}
