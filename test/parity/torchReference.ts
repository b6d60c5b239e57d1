import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const file = join(import.meta.dirname, '../../../shared/fixtures/torch_reference.json');

/** Why tests against the reference cannot run here, or false. */
export const skipWithoutReference = !existsSync(file) && 'needs ../shared/fixtures/torch_reference.json';

/** Mean, population standard deviation and first five values of a tensor with `n` elements. */
export interface Summary {
  readonly n: number;
  readonly mean: number;
  readonly std: number;
  readonly first: readonly number[];
}

/** A network of torchvision 0.14, or of the report, in eval mode with its own classifier. */
export interface EvalCase {
  readonly input: readonly [number, number, number, number];
  readonly parameters: number;
  readonly parameter_tensors: number;
  readonly state_dict: readonly (readonly [name: string, shape: readonly number[]])[] | null;
  readonly logits_shape: readonly [number, number];
  /** The first eight logits of each image. */
  readonly logits_first: readonly number[];
  readonly logits: Summary;
  readonly argmax: readonly number[];
}

/** Four steps of Adam on one batch, the classifier replaced by a head without dropout. */
export interface TrainCase {
  readonly arch: string;
  readonly mode: 'head' | 'top' | 'full';
  readonly top_tensors: number;
  readonly batch_norm: 'running statistics' | 'batch statistics';
  readonly head_hidden: readonly number[];
  readonly classes: number;
  readonly input: readonly [number, number, number, number];
  readonly targets: readonly number[];
  readonly lr: number;
  /** Before each step. */
  readonly losses: readonly number[];
  /** Of some of the trainable parameters. */
  readonly first_step_gradients: Readonly<Record<string, Summary>>;
  readonly after: Readonly<Record<string, Summary>>;
  /** The first five classes of each image, of the same batch in eval mode after the last step. */
  readonly eval_log_probabilities: readonly number[];
}

export interface TorchReference {
  readonly eval: Readonly<Record<string, EvalCase>>;
  readonly train: readonly TrainCase[];
}

/** What torch 1.13 and torchvision 0.14 computed in float64; ../shared/fixtures/README.md describes it. */
export function readTorchReference(): TorchReference {
  return JSON.parse(readFileSync(file, 'utf8')) as TorchReference;
}
