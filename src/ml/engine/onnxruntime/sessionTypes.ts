import type { InferenceSession } from 'onnxruntime-node';
import type { Graph } from '../../graph/graph.ts';
import type { ProfileObserver, SessionProfile } from '../engine.ts';

/** What we use of ONNX Runtime's session. */
export interface Session extends Pick<InferenceSession, 'inputNames' | 'outputNames' | 'release'> {
  run(
    feeds: InferenceSession.OnnxValueMapType,
    fetches: InferenceSession.FetchesType,
  ): Promise<InferenceSession.OnnxValueMapType>;
}

/** What a session is watched for, where it is. */
export interface SessionWatch extends Pick<SessionProfile, 'purpose' | 'batchSize'> {
  readonly observer: ProfileObserver | undefined;
  /** The graph that the session's model was written from, where it was. */
  readonly graph?: Graph;
}
