import type { Preprocessing } from '../../protocol/preprocessing.ts';
import type { TimmArchitecture, TimmConfig } from '../../protocol/timmConfig.ts';
import type { GraphBuilder } from '../graph/graph.ts';
import type { Initialisation } from './initialise.ts';
import type { WeightSet } from './weightSets.ts';

/** One network of a family. */
export interface Variant {
  /** As people write it: `ResNet-18`. */
  readonly title: string;
  /** Number of features that the classifier sees. */
  readonly features: number;
  /** Images `[N, 3, H, W]` -> features `[N, F]`, parameters in torch's order under torch's names. */
  readonly build: (builder: GraphBuilder, images: string) => string;
  /** Images -> logits of the network's own classifier, where that is not a Linear on the features. */
  readonly buildOriginal?: (builder: GraphBuilder, images: string) => string;
  /** Classes of the network's own classifier: ImageNet's 1000 without it; 0 where it has none. */
  readonly classes?: number;
  /** Sides in pixels of the images that it takes are multiples of this; it takes any without it. */
  readonly multipleOf?: number;
  /** Learned positions, whose number depends on the size of the images. */
  readonly positions?: LearnedPositions;
  /** How images are prepared for weights that are none of the published: as for the first set without it. */
  readonly preprocessing?: Preprocessing;
  /** How new weights are drawn, where that is not as in the family's other networks. */
  readonly initialise?: Initialisation;
  /** Sets of weights that can be had by name; the first is taken where none is named. */
  readonly weights: readonly WeightSet[];
  /** How timm builds a network with the same tensors under the same names; absent where it builds none. */
  readonly timm?: TimmArchitecture;
}

/** A tensor `[1, before + rows * columns, D]` of learned positions: a vector for each patch of a square grid. */
export interface LearnedPositions {
  readonly tensor: string;
  /** How many of its vectors belong to no patch but to the tokens before them, such as the class token. */
  readonly before: number;
}

/** Networks that are built alike. One file describes a family, and `registry.ts` lists all families. */
export interface Family {
  /** As lists group its networks: `ResNet`. */
  readonly title: string;
  /** Variants by the name that torchvision, or the report, gives them, in the order in which lists show them. */
  readonly variants: Readonly<Record<string, Variant>>;
  /** A variant that is not listed, by its name: those of a family with endlessly many. */
  readonly unlisted?: (name: string) => Variant | undefined;
  /**
   * A network of timm by the `config.json` that the hub has of it, for names `timm/NAME.TAG` that no table lists. Undefined
   * for an architecture of another family. Throws `RangeError`, a clause that says why, for one that is not supported.
   */
  readonly fromTimm?: (config: TimmConfig) => Omit<Variant, 'weights'> | undefined;
  /** Its networks are transformers, whose Linears the method `lora` puts adapters beside. */
  readonly transformer?: true;
  /** Module that the head replaces. */
  readonly classifier: string;
  /** Module of the Linear that the network itself classifies with, if that is inside `classifier` and not that itself. */
  readonly ownClassifier?: string;
  /** How new weights are drawn. */
  readonly initialise: Initialisation;
  /** Licence of the published weights, by its SPDX name; absent where there are none. */
  readonly licence?: string;
  /** Names of tensors that published weights hold beside those of the network, and that it has no use for. */
  readonly extraTensors?: RegExp;
}

/** The same function of each variant of a table: what a family's file lists becomes what the registry offers. */
export function variantsOf<Row>(
  rows: Readonly<Record<string, Row>>,
  variant: (name: string, row: Row) => Variant,
): Record<string, Variant> {
  return Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, variant(name, row)]));
}
