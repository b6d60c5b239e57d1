import type { ClassLabel } from '../../protocol/checkpointMetadata.ts';
import type { ConfidenceCalibration } from '../../protocol/confidenceCalibration.ts';
import type { Preprocessing } from '../../protocol/preprocessing.ts';
import type { GraphForBatch, InferenceModel } from '../engine/engine.ts';
import type { NetworkReference } from '../networks/network.ts';
import type { StateDict, Tensor } from '../graph/tensor.ts';

/** Images as they are fed: uint8 `[N, 3, crop, crop]`, RGB, planes one after another. */
export type ImageBatch = Tensor & { readonly dtype: 'uint8' };

/** A graph of ours that classifies. */
export interface ClassifierGraph {
  readonly title: string;
  readonly network: NetworkReference;
  /** Images, uint8, or what `features` gives, to logits or log-probabilities, without dropout. */
  readonly graphFor: GraphForBatch;
  readonly state: StateDict;
  readonly labels: readonly ClassLabel[];
  readonly preprocessing: Preprocessing;
  /** What was fitted to its confidence. */
  readonly calibration?: ConfidenceCalibration | undefined;
  /** What makes the graph's inputs of images, where it does not start from images; disposed with the classifier. */
  readonly features?: InferenceModel | undefined;
}

/** A network ready to tell classes, whatever it came from. Who loads one disposes it. */
export interface Classifier {
  /** What it is, for people: `resnet101`, or the file's path. */
  readonly title: string;
  /** One for each column of the probabilities, in their order. */
  readonly labels: readonly ClassLabel[];
  readonly preprocessing: Preprocessing;
  /** Engine, device and what was asked for and could not be had. */
  readonly runsOn: { readonly engine: string; readonly device: string };
  /** What it computes, where that is a graph of ours, for whoever wants to look inside. */
  readonly graph?: ClassifierGraph;
  /** What was fitted to its confidence: whoever tells probabilities applies it, see `calibrated`. */
  readonly calibration?: ConfidenceCalibration | undefined;
  /** Whether it computes in 8 bits: not before `calibrateInt8`, and not where that found that they would change too much. */
  in8Bits?(): boolean;
  /** `[N, labels.length]`, a softmax over the network's classes, at temperature 1. */
  probabilities(images: ImageBatch): Promise<Tensor & { readonly dtype: 'float32' }>;
  dispose(): Promise<void>;
}
