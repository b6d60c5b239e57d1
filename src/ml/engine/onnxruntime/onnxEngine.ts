import { availableParallelism } from 'node:os';
import type { StateDict } from '../../graph/tensor.ts';
import type { Engine, InferenceModel } from '../engine.ts';
import { type Library, openLibrary } from './capi/library.ts';
import { cardOf } from './cardOf.ts';
import { listOnnxDevices, requireDevice } from './devices.ts';
import { inSmallBatches } from './smallBatches.ts';
import { createInferenceModel, createOnnxModel, type InferenceOptions } from './inferenceModel.ts';
import { threadsOfLane, threadsWeSet } from './session.ts';
import type { StepOptions } from './stepSessions.ts';
import { createTrainingModel } from './trainingModel.ts';
import { openWebgpuLibrary } from './webgpu/webgpuLibrary.ts';

type EngineOptions = InferenceOptions & Pick<StepOptions, 'replay'>;

/** ONNX Runtime: the engine that every machine has. */
export const onnxEngine = createOnnxEngine({});

/**
 * The same engine, whose sessions on the CPU are called without the binding and leave the event loop alone. Throws where
 * that cannot be had; whether it can be trusted here is what `capi/checkLibrary.ts` finds out.
 */
export function onnxEngineAside(library: Library = openLibrary()): Engine {
  return createOnnxEngine({ library });
}

/** Runs that share the cores: more would take all of libuv's threads, which decode and read files too. */
const lanes = Math.min(2, availableParallelism());

/**
 * The same as `onnxEngineAside`, for images that come while others are computed: two runs share the cores. The threads of
 * one wait for each other at the end of each operator, which costs much where decoding or another process takes a core away
 * from one of them; with two cores none has to wait. Where there are many cores, it is `onnxEngineAside`.
 */
export function onnxEngineInLanes(library: Library = openLibrary()): Engine {
  return createOnnxEngine(availableParallelism() > threadsWeSet ? { library } : { library, lanes });
}

/**
 * The same engine for WebGPU, whose training steps are recorded once and replayed. `refused` hears why where they are not, or
 * not any more. Throws where ONNX Runtime's library cannot be called; whether that can be trusted here is what `capi/checkLibrary.ts` finds out.
 */
export function onnxEngineReplaying(refused: (reason: string) => void, library: Library = openWebgpuLibrary()): Engine {
  return createOnnxEngine({ library, replay: refused });
}

function createOnnxEngine(options: EngineOptions): Engine {
  /** The library that replays steps is WebGPU's alone. */
  const calledFor = (device: string): EngineOptions =>
    options.replay && device !== 'webgpu' ? { ...options, library: undefined, replay: undefined } : options;
  /** 8 bits are for the CPU: a graphics card has no fast operators for them. */
  const optionsFor = (device: string): EngineOptions => {
    const called = calledFor(device);
    if (device === 'cpu' || !called.int8) return called;
    called.int8(`8 bits (int8) are computed on the CPU only; ${device} computes in float32.`);
    return { ...called, int8: undefined };
  };
  const { lanes: own = 1 } = options;
  const inParts = (model: InferenceModel, count = own > 1 ? threadsOfLane(own) : undefined) =>
    inSmallBatches(model, count, own);
  return {
    name: 'onnx',
    profiled: (observer) => createOnnxEngine({ ...options, observer }),
    int8: (log) => createOnnxEngine({ ...options, int8: log }),
    devices: listOnnxDevices,
    card: cardOf,
    async compileInference(graphFor, state, device) {
      requireDevice(device);
      const model = createInferenceModel(graphFor, state, device, optionsFor(device));
      return Promise.resolve(device === 'cpu' ? inParts(model, atOnce(state)) : model);
    },
    async compileOnnx(model, device) {
      requireDevice(device);
      const compiled = await createOnnxModel(model, device, optionsFor(device));
      return device === 'cpu' ? inParts(compiled) : compiled;
    },
    async compileTraining(graphFor, initial, training) {
      requireDevice(training.device);
      return createTrainingModel(graphFor, initial, training, calledFor(training.device));
    },
  };
}

/** Bytes of weights from which on images go one by one: a session for each size of batch would hold them once more. */
const manyWeights = 2 ** 31;

/** How many images go at once through a model of these weights; undefined leaves it to the machine. */
function atOnce(state: StateDict): number | undefined {
  const bytes = [...state.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
  return bytes < manyWeights ? undefined : 1;
}
