import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Summary } from './torchReference.ts';

/** A network in eval mode with its own classifier. */
export interface EvalFigures {
  readonly input: readonly [number, number, number, number];
  readonly parameters: number;
  readonly parameter_tensors: number;
  readonly state_dict_sha256: string;
  /** The first eight logits of each image. */
  readonly logits_first: readonly number[];
  readonly logits: Summary;
}

/** The first step in train mode, the classifier replaced by a head without dropout. */
export interface TrainFigures {
  readonly input: readonly [number, number, number, number];
  readonly head_hidden: readonly number[];
  readonly classes: number;
  readonly targets: readonly number[];
  readonly loss: number;
  /** How far torch's own float32 is from these gradients. */
  readonly float32_gradients: number;
  readonly gradients: Readonly<Record<string, Summary>>;
  readonly running_statistics: Readonly<Record<string, Summary>>;
}

/** A network's figures: of its logits always, of a first step for one of each family or kind of block. */
export interface NetworkFigures {
  readonly eval: EvalFigures;
  readonly train?: TrainFigures;
}

function figuresIn<Figures>(file: string): Readonly<Record<string, Figures>> {
  const text = readFileSync(join(import.meta.dirname, '../fixtures', file), 'utf8');
  return (JSON.parse(text) as { readonly networks: Readonly<Record<string, Figures>> }).networks;
}

/** Networks by torchvision's names, with the figures that test/fixtures/torchvision_networks.py wrote. */
export const torchvisionNetworks = figuresIn<Required<NetworkFigures>>('torchvision_networks.json');
/** Those of convolutional_networks.py. */
export const convolutionalNetworks = figuresIn<NetworkFigures>('convolutional_networks.json');
/** Those of transformer_networks.py. */
export const transformerNetworks = figuresIn<NetworkFigures>('transformer_networks.json');
