import type { Graph } from '../graph/graph.ts';
import type { Optimizer } from '../graph/optimizers.ts';
import type { StateDict, Tensor } from '../graph/tensor.ts';

export type EngineName = 'onnx' | 'tensorflow';

/** One place where an engine could compute. */
export interface Device {
  readonly engine: EngineName;
  /** As `--device` takes it: `cpu`, `webgpu`, `cuda`, `dml`, `coreml`. */
  readonly name: string;
  readonly available: boolean;
  /** Which hardware it is; or, where it is not available, what is missing and what to do. */
  readonly detail: string;
}

/** Inputs of a run by name; the batch size is the first dimension of each. */
export type Feeds = ReadonlyMap<string, Tensor>;

/** Shapes are static, so an engine asks for one graph a batch size, and keeps what it made of it. */
export type GraphForBatch = (batchSize: number) => Graph;

/** A network ready to run forward. */
export interface InferenceModel {
  /** The graph's outputs by name. Throws `outOfMemory` of `errors.ts` where the device has not enough. */
  run(feeds: Feeds): Promise<Map<string, Tensor>>;
  dispose(): Promise<void>;
}

export interface TrainingOptions {
  /** Parameters that move; all others are constants. */
  readonly trainable: ReadonlySet<string>;
  readonly optimizer: Optimizer;
  /** Joint L2 norm that the gradients are scaled down to; none without it. */
  readonly clipNorm?: number;
  readonly device: string;
}

/** Everything that training changes, enough to go on exactly: see `optimizers.ts` for the moments' names. */
export interface TrainingState {
  readonly state: StateDict;
  /** Moments by name: `${parameter}.exp_avg`, `${parameter}.exp_avg_sq`, `${parameter}.momentum_buffer`, as torch names them. */
  readonly optimizer: StateDict;
  /** Steps taken so far, which Adam's bias correction needs. */
  readonly step: number;
}

export interface StepResult {
  /** Sum over all micro-batches of -sum(targets * log-probabilities), before the update. */
  readonly loss: number;
  /** `[N, classes]` of all micro-batches in order, before the update. */
  readonly logProbabilities: Tensor & { dtype: 'float32' };
}

/**
 * A network in training. The forward graph's single output is its log-probabilities; feeds are the graph's inputs
 * and `targets` `[N, classes]` float32, whose rows hold weight, smoothing and the mean's divisor already.
 */
export interface TrainingModel {
  /** One optimizer step over one batch, or over several micro-batches whose gradients add up. */
  step(batches: readonly Feeds[], learningRate: number): Promise<StepResult>;
  /** Gradients of the loss by every trainable parameter, nothing updated. For checks. */
  gradients(batch: Feeds): Promise<Map<string, Tensor>>;
  /** A copy of the present state: safe to keep while training goes on. */
  snapshot(): Promise<TrainingState>;
  dispose(): Promise<void>;
}

export interface Engine {
  readonly name: EngineName;
  /** Never throws: what cannot be used is listed with its reason. */
  devices(): Promise<readonly Device[]>;
  /** Parameters and buffers of the graphs are taken from `state` and become constants. */
  compileInference(graphFor: GraphForBatch, state: StateDict, device: string): Promise<InferenceModel>;
  /** An ONNX model in memory. Throws where this engine reads none. */
  compileOnnx(model: Uint8Array, device: string): Promise<InferenceModel>;
  compileTraining(graphFor: GraphForBatch, initial: TrainingState, options: TrainingOptions): Promise<TrainingModel>;
}
