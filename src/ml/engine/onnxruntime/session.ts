import { availableParallelism } from 'node:os';
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { messageOf, UserError } from '../../../protocol/errors.ts';
import { encodeOnnx, type OnnxModel } from '../../onnx/onnxModel.ts';
import type { FloatPrecision } from '../../lowering/lowering.ts';
import { webgpuLimits, type WebgpuLimits } from '../../lowering/webgpu/webgpuLimits.ts';
import type { Tensor } from '../../graph/tensor.ts';
import { outOfMemory, speaksOfMemory } from '../outOfMemory.ts';
import type { Library } from './capi/library.ts';
import { librarySession, type LibrarySessionOptions } from './capi/session.ts';
import { appendCuda, openCudaLibrary } from './cuda/cudaLibrary.ts';
import { cudaReason } from './cuda/cudaReason.ts';
import { fatalOnly, loadRuntime } from './loadRuntime.ts';
import { profiledSession } from './profiledSession.ts';
import type { ProfilableSession, Session, SessionWatch } from './sessionTypes.ts';
import { type Replay, replayedSession } from './webgpu/replayedSession.ts';
import { appendWebgpu } from './webgpu/webgpuLibrary.ts';
import { weightsBeside } from './weightsBeside.ts';

/** Above this many, ONNX Runtime's own count (one thread a physical core) is better than one a hardware thread. */
export const threadsWeSet = 4;

function threads(): number {
  const count = availableParallelism();
  return count <= threadsWeSet ? count : 0;
}

/** Threads of each of several runs that share the cores. */
export function threadsOfLane(lanes: number): number {
  return Math.max(1, Math.floor(availableParallelism() / lanes));
}

/**
 * What a session is for. Inference graphs are left to ONNX Runtime's optimizer. A training graph in blocks says its
 * layouts and fusions itself, and the optimizer joins its transposes to ones that have no fast kernel: measured, a
 * quarter slower. Elsewhere the optimizer fuses transposes into products and folds frozen weights.
 */
export type SessionPurpose = 'inference' | 'training' | 'blocked training';

const optimizations = { inference: 'all', training: 'extended', 'blocked training': 'disabled' } as const;

/** What models for a device are fitted to, where it is WebGPU. */
export function limitsOf(device: string): WebgpuLimits | undefined {
  return device === 'webgpu' ? webgpuLimits : undefined;
}

/** By default a card's large buffers are given back and asked for anew at each use, which took half of a step's time. */
const webgpuOptions = { storageBufferCacheMode: 'simple' } as const;

/** The device's provider, and the CPU's for what it lacks. */
function providersOf(device: string): InferenceSession.ExecutionProviderConfig[] {
  if (device === 'cpu') return ['cpu'];
  return [device === 'webgpu' ? { name: 'webgpu', ...webgpuOptions } : device, 'cpu'];
}

/** What calls ONNX Runtime's library for a device; undefined where its binding does. */
function libraryFor(device: string, library: Library | undefined): Library | undefined {
  if (device === 'cuda') return openCudaLibrary();
  return device === 'cpu' || (device === 'webgpu' && library?.card !== undefined) ? library : undefined;
}

/** Adds the device's provider to the options of a session of the library. */
function appendProvider(library: Library, device: string, settings: bigint, isRecorded: boolean): void {
  if (device === 'cuda') appendCuda(library, settings);
  if (device !== 'webgpu') return;
  appendWebgpu(library, settings, { ...webgpuOptions, ...(isRecorded && { enableGraphCapture: '1' }) });
}

/** Whether tensors can stay on a device from one run to the next. */
function keepsTensors(device: string): boolean {
  return device === 'webgpu';
}

/** What is wanted of a session, beside what it computes. */
export interface SessionWishes {
  /** What it is watched for. */
  readonly watch?: SessionWatch | undefined;
  /** The outputs that stay on the device, where that can be. */
  readonly kept?: Iterable<string>;
  /**
   * Calls ONNX Runtime's library without its binding: on the CPU, so that the event loop goes on while it computes, on WebGPU
   * where it is `openWebgpuLibrary`'s.
   */
  readonly library?: Library | undefined;
  /** Records the commands of the session and replays them (webgpu/replayedSession.ts), where the library is WebGPU's. */
  readonly replay?: Omit<Replay, 'graph'> | undefined;
  /** How many runs share the cores, at the same time as each other; one without it, and through the binding. */
  readonly lanes?: number | undefined;
}

/** It fails where two reshapes follow each other whose shapes are computed, as a step's are (hiddenShapes.ts). */
const unfitForSteps = 'ReshapeFusion';

/**
 * Entries of a session's configuration by group and name. Threads that are done with a run sleep at once: while they wait
 * for the next one awake, they take a core from decoding and from other sessions. A head's step with its frozen part takes
 * three quarters of the time by it.
 */
function entriesFor(purpose: SessionPurpose) {
  return {
    session: { force_spinning_stop: '1' },
    ...(purpose === 'training' && { optimization: { disable_specified_optimizers: unfitForSteps } }),
  };
}

/** A session on one device. Nothing is left to another provider than the device's and, for what it lacks, the CPU's. */
export function createSession(
  model: OnnxModel,
  device: string,
  purpose: SessionPurpose,
  { watch, kept = [], library, replay, lanes = 1 }: SessionWishes = {},
): Promise<Session> {
  const { small, externalData } = weightsBeside(model, device);
  const bytes = encodeOnnx(small);
  // Measured: with the pattern a training step needs up to twice the memory and is a quarter slower.
  const enableMemPattern = purpose === 'inference';
  const throughBinding = async (profilePrefix?: string): Promise<ProfilableSession> => {
    const made = await loadRuntime().InferenceSession.create(bytes, {
      externalData,
      executionProviders: providersOf(device),
      graphOptimizationLevel: optimizations[purpose],
      intraOpNumThreads: threads(),
      enableMemPattern,
      logSeverityLevel: fatalOnly,
      extra: entriesFor(purpose),
      ...(keepsTensors(device) && {
        preferredOutputLocation: Object.fromEntries([...kept].map((name) => [name, 'gpu-buffer' as const])),
      }),
      ...(profilePrefix !== undefined && { enableProfiling: true, profileFilePrefix: profilePrefix }),
    });
    return ofBinding(made);
  };
  const optionsFor = (called: Library, profilePrefix?: string, isRecorded = false): LibrarySessionOptions => {
    const inLanes = device === 'cpu' && lanes > 1;
    return {
      appendProvider: (settings) => appendProvider(called, device, settings, isRecorded),
      optimization: optimizations[purpose],
      threads: inLanes ? threadsOfLane(lanes) : threads(),
      sideBySide: inLanes,
      memoryPattern: enableMemPattern,
      entries: entriesFor(purpose),
      kept: new Set(kept),
      externalData,
      profilePrefix,
    };
  };
  const create = async (profilePrefix?: string): Promise<ProfilableSession> => {
    const called = libraryFor(device, library);
    if (!called) return throughBinding(profilePrefix);
    return librarySession(called, bytes, optionsFor(called, profilePrefix));
  };
  const { observer } = watch ?? {};
  const recorded = async (): Promise<Session | undefined> => {
    const called = libraryFor(device, library);
    if (!called || !replay) return undefined;
    try {
      return await replayedSession(called, bytes, optionsFor(called, undefined, true), {
        ...replay,
        graph: model.graph,
      });
    } catch (error) {
      replay.refused(messageOf(error));
      return undefined;
    }
  };
  return guarded<Session>(device, async () =>
    watch && observer?.wants() === true
      ? profiledSession(create, { ...watch, observer })
      : ((await recorded()) ?? create()),
  );
}

/** The binding's session. Its runs hold the event loop, so that no signal can end them. */
function ofBinding(session: InferenceSession): ProfilableSession {
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    run: (feeds, fetches) => session.run(feeds, fetches),
    endProfiling: () => session.endProfiling(),
    release: () => session.release(),
  };
}

/** Runs a call into ONNX Runtime; a failure to get memory becomes an `OutOfMemoryError`. */
export async function guarded<Result>(device: string, call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    if (speaksOfMemory(messageOf(error))) throw outOfMemory(device, error);
    if (device === 'cuda' && !(error instanceof UserError))
      throw new Error(cudaReason(messageOf(error)), { cause: error });
    throw error;
  }
}

/** Our tensor as ONNX Runtime's, over the same memory; a copy where floats are to be computed with in float64. */
export function toRuntime(
  runtime: typeof import('onnxruntime-node'),
  { dtype, shape, data }: Tensor,
  precision: FloatPrecision = 'float32',
): OrtTensor {
  if (dtype === 'float32' && precision === 'float64')
    return new runtime.Tensor('float64', Float64Array.from(data), shape);
  return new runtime.Tensor(dtype, data, shape);
}

/**
 * ONNX Runtime's tensor as ours, over the same memory; float64 is rounded to float32. Throws for an element type that
 * our graphs do not have.
 */
export function fromRuntime({ type, dims, data }: OrtTensor): Tensor {
  if (type === 'float64' && data instanceof Float64Array)
    return { dtype: 'float32', shape: dims, data: Float32Array.from(data) };
  if (type === 'float32' && data instanceof Float32Array) return { dtype: 'float32', shape: dims, data };
  if (type === 'uint8' && data instanceof Uint8Array) return { dtype: 'uint8', shape: dims, data };
  if (type === 'int64' && data instanceof BigInt64Array) return { dtype: 'int64', shape: dims, data };
  throw new Error(`unexpected element type ${type}`);
}
