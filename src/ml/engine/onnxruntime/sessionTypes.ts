import type { Tensor as OrtTensor } from 'onnxruntime-node';
import type { Graph } from '../../graph/graph.ts';
import type { ProfileObserver, SessionProfile } from '../engine.ts';

/** Tensors of ONNX Runtime by name. */
export type RuntimeTensors = Readonly<Record<string, OrtTensor>>;

/** The outputs that a run is to give: their names, or by name a tensor for each to be written into, null for a new one. */
export type Fetches = readonly string[] | Readonly<Record<string, OrtTensor | null>>;

/** What we use of ONNX Runtime's session. */
export interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** Whether an output is written into the tensor that is given for it. ONNX Runtime's binding copies it all the same. */
  readonly writesIntoFetches?: boolean;
  /** Throws what `signal` is aborted with, if that ends the run before its time: a long one, where the session can. */
  run(feeds: RuntimeTensors, fetches: Fetches, signal?: AbortSignal): Promise<RuntimeTensors>;
  release(): Promise<void>;
}

/** A session that can be made so that it writes a trace of its runs. */
export interface ProfilableSession extends Session {
  /** Ends the trace, which is then in its file. */
  endProfiling(): void;
}

/** What a session is watched for, where it is. */
export interface SessionWatch extends Pick<SessionProfile, 'purpose' | 'batchSize'> {
  readonly observer: ProfileObserver | undefined;
  /** The graph that the session's model was written from, where it was. */
  readonly graph?: Graph;
}
