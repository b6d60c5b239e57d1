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

const file = join(import.meta.dirname, '../fixtures/torchvision_networks.json');
/** Networks by torchvision's names, with the figures that test/fixtures/torchvision_networks.py wrote. */
export const torchvisionNetworks = (
  JSON.parse(readFileSync(file, 'utf8')) as {
    readonly networks: Readonly<Record<string, { readonly eval: EvalFigures; readonly train: TrainFigures }>>;
  }
).networks;
