import type { Card } from '../../protocol/runRecord.ts';
import type { DeviceOffer } from '../../protocol/serviceProtocol.ts';
import type { Graph } from '../graph/graph.ts';
import type { Optimizer } from '../operators/optimizer/optimizer.ts';
import type { StateDict, Tensor } from '../graph/tensor.ts';
import type { OnnxModel } from '../onnx/onnxModel.ts';

export type EngineName = 'onnx' | 'tensorflow';

/** What an installation may be without. */
export type InstallablePart = NonNullable<DeviceOffer['lacks']>;

/** One place where an engine could compute. */
export interface Device {
  readonly engine: EngineName;
  /** As `--device` takes it: `cpu`, `webgpu`, `cuda`, `dml`, `coreml`. */
  readonly name: string;
  readonly available: boolean;
  /** Which hardware it is; or, where it is not available, what is missing. */
  readonly detail: string;
  /** What could be installed for it; the shell and the editor each say how. */
  readonly lacks?: InstallablePart;
}

/** Inputs of a run by name; the batch size is the first dimension of each. */
export type Feeds = ReadonlyMap<string, Tensor>;

/** Shapes are static, so an engine asks for one graph a batch size, and keeps what it made of it. */
export type GraphForBatch = (batchSize: number) => Graph;

/** A network ready to run forward. */
export interface InferenceModel {
  /**
   * The graph's outputs by name. The caller may write over the feeds afterwards, and not before. Throws an `OutOfMemoryError` where
   * the device has not enough, and what `signal` was aborted with between the parts of a batch that is run in parts.
   */
  run(feeds: Feeds, signal?: AbortSignal): Promise<Map<string, Tensor>>;
  /** Whether it computes in 8 bits by now; absent where it was not asked to. */
  in8Bits?(): boolean;
  dispose(): Promise<void>;
}

export interface TrainingOptions {
  /** Parameters that move; all others are constants. */
  readonly trainable: ReadonlySet<string>;
  readonly optimizer: Optimizer;
  /** Joint L2 norm that the gradients are scaled down to; none without it. */
  readonly clipNorm?: number;
  /** Gamma of the focal loss; cross-entropy without it. */
  readonly focalGamma?: number;
  readonly device: string;
}

/** Everything that training changes, enough to go on exactly: see `momentNames` for the moments' names. */
export interface TrainingState {
  readonly state: StateDict;
  /** Moments by name: `${parameter}.exp_avg`, `${parameter}.exp_avg_sq`, `${parameter}.momentum_buffer`, as torch names them. */
  readonly optimizer: StateDict;
  /** Steps taken so far, which Adam's bias correction needs. */
  readonly step: number;
}

export interface StepResult {
  /** Sum over all micro-batches of -sum(targets * log-probabilities), or of the focal loss, before the update. */
  readonly loss: number;
  /** `[N, classes]` of all micro-batches in order, before the update. */
  readonly logProbabilities: Tensor & { dtype: 'float32' };
  /** Joint L2 norm of the gradients of the whole batch, before it is limited by `clipNorm`. */
  readonly gradientNorm: number;
}

/** Time that one kernel took in one run, on average. */
export interface KernelTime {
  /** As the model that is run names the node; see `placeName` for those of our graphs. */
  readonly node: string;
  /** The engine's operator: `Conv`, `MatMul`. */
  readonly kernel: string;
  /** What ran it: `CPUExecutionProvider`. */
  readonly provider: string;
  readonly seconds: number;
  /** Shapes of what it gave, for reading: `32x64x56x56`. */
  readonly shapes: string;
}

/** Where the time of one compiled model went, its warm-up left out where there were enough runs. */
export interface SessionProfile {
  /** `full` step, `accumulate`, `update`, `gradients`, or `inference`. */
  readonly purpose: string;
  readonly batchSize: number;
  /** Of every run that counts, in order: what `ProfileObserver.now` said before it, and how long it took. */
  readonly runs: readonly { readonly moment: number; readonly seconds: number }[];
  /** The mark from which on runs may have gone unwatched; undefined where none did. */
  readonly unwatchedFrom: number | undefined;
  readonly kernels: readonly KernelTime[];
  /** Largest memory in use by a run's intermediate values, in bytes; 0 where the engine does not say. */
  readonly peakBytes: number;
}

/** Who wants to know where the time goes. */
export interface ProfileObserver {
  /** Most runs of a compiled model that are watched, the warm-up included; afterwards it runs as ever. */
  readonly runs: number;
  /** Runs at the beginning of a model that do not count. */
  readonly warmup: number;
  /** A folder for files that are removed again. */
  readonly folder: string;
  /** Whether a model that is compiled now is to be watched. */
  wants(): boolean;
  /** Whether enough was seen, so that the models that are watched run as ever from now on. */
  enough(): boolean;
  /** A mark for the run that begins now, such as the number of the step. */
  now(): number;
  seen(profile: SessionProfile): void;
}

/**
 * A network in training. The forward graph's single output is its log-probabilities; feeds are the graph's inputs
 * and `targets` `[N, classes]` float32, whose rows hold weight, smoothing and the mean's divisor already.
 */
export interface TrainingModel {
  /**
   * One optimizer step over one batch, or over several micro-batches whose gradients add up. The caller may write over them
   * afterwards, and not before. Throws what `signal` is aborted with if that is heard between two micro-batches, which takes an
   * engine that leaves the event loop alone, or in a run of a second or more, if the engine can end it. Whatever it throws,
   * the state is then as it was before the step.
   */
  step(batches: readonly Feeds[], learningRate: number, signal?: AbortSignal): Promise<StepResult>;
  /** Gradients of the loss by every trainable parameter, nothing updated. For checks. */
  gradients(batch: Feeds): Promise<Map<string, Tensor>>;
  /** The present state, which training leaves as it is: safe to keep, but not to be written into, as tensors may be shared. */
  snapshot(): Promise<TrainingState>;
  /**
   * Shows the present state to `use`, which takes less memory than a snapshot: it is what is shown until `use` has ended, so
   * nothing of it may be kept, and no step be taken before. With `weights` all moments but averages of weights may be missing.
   */
  lend<Result>(wanted: 'all' | 'weights', use: (state: TrainingState) => Promise<Result>): Promise<Result>;
  /** Waits for what is under way; of a step in parts no further part begins. */
  dispose(): Promise<void>;
}

/** Images that a model has to see before it computes in 8 bits: the ranges of its maps are found by them. */
export const calibrationImages = 16;

export interface Engine {
  readonly name: EngineName;
  /** The same engine, that also tells where the time of its first runs goes. Absent where an engine cannot. */
  profiled?(observer: ProfileObserver): Engine;
  /**
   * The same engine, whose inference models compute in 8 bits (int8) once they have seen `calibrationImages` images, until
   * then in float32. `log` hears when they do, and why where they do not. Absent where an engine cannot.
   */
  int8?(log: (sentence: string) => void): Engine;
  /**
   * All devices, or, where one of that name is `wanted`, at least that: others may take seconds to ask. Never throws: what
   * cannot be used is listed with its reason.
   */
  devices(wanted?: string): Promise<readonly Device[]>;
  /** The card that a device is, where that is certain. Never rejects. */
  card(device: string): Promise<Card | undefined>;
  /** Parameters and buffers of the graphs are taken from `state` and become constants. */
  compileInference(graphFor: GraphForBatch, state: StateDict, device: string): Promise<InferenceModel>;
  /** A foreign ONNX model. Throws where this engine reads none. */
  compileOnnx(model: OnnxModel, device: string): Promise<InferenceModel>;
  compileTraining(graphFor: GraphForBatch, initial: TrainingState, options: TrainingOptions): Promise<TrainingModel>;
}
