import type { Tensor as OrtTensor } from 'onnxruntime-node';
import { type Graph, typeOf } from '../../graph/graph.ts';
import { elementCount, float32Tensor, type Tensor, tensorOf } from '../../graph/tensor.ts';
import { fromBlockedOrder, toBlockedOrder } from '../../lowering/blocked/blockedWeights.ts';
import type { FloatPrecision } from '../../lowering/lowering.ts';
import { averageName, firstMoment, momentNames, type Optimizer } from '../../operators/optimizer/optimizer.ts';
import { countBatches } from '../countBatches.ts';
import type { TrainingOptions, TrainingState } from '../engine.ts';
import type { Library } from './capi/library.ts';
import { createReusedMemory } from './capi/reusedMemory.ts';
import { fetchTensors, isOnDevice } from './deviceTensors.ts';
import { loadRuntime } from './loadRuntime.ts';
import { fromRuntime, toRuntime } from './session.ts';
import type { BlockedKernels } from './stepSessions.ts';
import { createUpdatesInPlace } from './updatesInPlace.ts';

/** What a training's models read and move: parameters, running statistics and moments. */
export interface MovingState {
  /** Parameters and buffers that never move, which models hold as constants. */
  readonly constants: ReadonlyMap<string, Tensor>;
  /** The tensors that steps move, as the models have them: on the device where it keeps them. */
  readonly tensors: ReadonlyMap<string, OrtTensor>;
  /**
   * Moves parameters and moments where they are, by gradients under `accumulatorName` and the figures of `schedule`. Undefined
   * where models give their successors.
   */
  readonly moveInPlace?: (gradients: ReadonlyMap<string, OrtTensor>, figures: readonly number[]) => Promise<void>;
  /** Where a step can write the successor of a tensor of the state, or a gradient; undefined where ONNX Runtime makes it. */
  readonly successor: (name: string) => OrtTensor | undefined;
  /** Replaces a tensor by its successor; the old one stays as it is until `freeUnused`. */
  readonly replace: (name: string, tensor: OrtTensor) => void;
  /** Goes back to the tensors that were there before a step that failed. */
  readonly restore: (before: ReadonlyMap<string, OrtTensor>) => void;
  /** A value that a model gave under a tensor's name, in torch's order. */
  readonly inTorchOrder: (name: string, value: Tensor) => Tensor;
  /** Remembers a tensor that a step gave, so that its memory on the device is freed once nothing holds it. */
  readonly own: (tensor: OrtTensor) => void;
  /** Frees a tensor on the device that a step gave, which nothing reads any more, before the step has ended. */
  readonly free: (tensor: OrtTensor) => void;
  /** Frees what was replaced: on a device, of whose memory the garbage collector knows nothing, or for a successor to come. */
  readonly freeUnused: () => void;
  /** All of the state after `steps` steps, with torch's counts of batches raised by `forwards`. */
  readonly snapshot: (steps: number, forwards: number) => Promise<TrainingState>;
  /** See `TrainingModel.lend`. */
  readonly lend: <Result>(
    steps: number,
    forwards: number,
    wanted: 'all' | 'weights',
    use: (state: TrainingState) => Promise<Result>,
  ) => Promise<Result>;
  readonly dispose: () => void;
}

/**
 * Brings a training's state to where its models want it. A step gives new tensors, which replace the old ones once it
 * has succeeded: a failed step leaves no trace, and nothing needs to be copied. With `library` it gives gradients, by which the
 * state is moved where it is (`updatesInPlace.ts`), and what else is new is written into memory of the state's; ONNX Runtime's
 * binding would copy all of it. `forward` is the network's graph for any batch size.
 */
export function createMovingState(
  forward: Graph,
  initial: TrainingState,
  { trainable, optimizer, device }: TrainingOptions,
  { block, kernels }: BlockedKernels,
  precision: FloatPrecision,
  library?: Library,
): MovingState {
  const parameters = forward.parameters.filter((name) => trainable.has(name));
  const sizes = new Map(parameters.map((name) => [name, elementCount(typeOf(forward, name).shape)]));
  const { memory, inPlace, entered, zeros, kept, successorOf } = openMemory(sizes, optimizer, precision, library);
  const inBlocks = new Set([...kernels, ...[...kernels].flatMap((name) => momentNames(optimizer, name))]);
  const inModelOrder = (name: string, tensor: Tensor) =>
    entered(name, inBlocks.has(name) ? toBlockedOrder(tensor, block) : tensor);
  const inTorchOrder = (name: string, value: Tensor) => (inBlocks.has(name) ? fromBlockedOrder(value, block) : value);

  const tensors = new Map<string, OrtTensor>();
  const constants = new Map<string, Tensor>();
  for (const name of [...forward.parameters, ...forward.buffers]) {
    const tensor = tensorOf(initial.state, name);
    if (trainable.has(name) || forward.updates.has(name)) tensors.set(name, inModelOrder(name, tensor));
    else constants.set(name, tensor);
  }
  const parameterOf = new Map<string, string>();
  for (const parameter of parameters) {
    for (const moment of momentNames(optimizer, parameter)) {
      parameterOf.set(moment, parameter);
      const value = tensorOf(initial.state, parameter);
      const begun = initial.optimizer.get(moment) ?? firstMoment(moment, parameter, value);
      tensors.set(moment, begun ? inModelOrder(moment, begun) : zeros(moment, value.shape));
    }
  }
  const unmoved = new Map([...initial.state].filter(([name]) => !tensors.has(name)));

  const onDevice = createDeviceMemory();
  const freeUnused = () => {
    memory?.takeBack(tensors.values());
    onDevice.freeAllBut(tensors.values());
  };

  const stateNames = [...initial.state.keys()];
  const parts = { forward, tensors, unmoved, stateNames, parameterOf, device, library };
  return {
    constants,
    tensors,
    ...(inPlace && {
      moveInPlace: (gradients, figures) =>
        inPlace.move((name) => gradients.get(name)?.data as Float32Array | undefined, figures),
    }),
    successor: (name) => successorOf(name, tensors.get(name)),
    replace: (name, tensor) => tensors.set(name, tensor),
    restore: (before) => {
      for (const [name, tensor] of before) tensors.set(name, tensor);
    },
    inTorchOrder,
    own: onDevice.own,
    free: onDevice.free,
    freeUnused,
    snapshot: (steps, forwards) =>
      shown({ ...parts, forwards, wanted: () => true }, steps, (name, value, tensor) =>
        kept(name, inTorchOrder(name, value), tensor),
      ),
    lend: async (steps, forwards, wanted, use) => {
      const options = { ...parts, forwards, wanted: momentsOf(wanted, parameterOf) };
      try {
        const state = await shown(options, steps, (name, value, tensor) => {
          // The next step writes its results over what is put into torch's order here.
          const data = inBlocks.has(name) ? memory?.successorOf(tensor).data : undefined;
          return data instanceof Float32Array ? fromBlockedOrder(value, block, data) : inTorchOrder(name, value);
        });
        // A validation needs memory, and comes once in many steps; what writes them all needs none.
        if (wanted === 'weights') memory?.letGo();
        return await use(state);
      } finally {
        freeUnused();
        if (inPlace) memory?.letGo();
      }
    },
    dispose: () => {
      tensors.clear();
      freeUnused();
    },
  };
}

/**
 * Where a state is. `entered` brings a tensor there, `zeros` makes one that is nothing yet, `kept` gives what of it can be kept
 * while steps are taken, and `successorOf` says where a step writes what replaces it, or a gradient: undefined where ONNX
 * Runtime makes that.
 */
function openMemory(
  sizes: ReadonlyMap<string, number>,
  optimizer: Optimizer,
  precision: FloatPrecision,
  library: Library | undefined,
) {
  const runtime = loadRuntime();
  const memory = library && library.card === undefined ? createReusedMemory(library) : undefined;
  const inPlace = memory && precision === 'float32' ? createUpdatesInPlace(sizes, optimizer) : undefined;
  const entered = (name: string, tensor: Tensor): OrtTensor => {
    const given = toRuntime(runtime, tensor, precision);
    const row = inPlace?.rowOf(name);
    if (!row) return memory?.own(given) ?? given;
    row.set(given.data as Float32Array);
    return new runtime.Tensor('float32', row, given.dims);
  };
  return {
    memory,
    inPlace,
    entered,
    zeros: (name: string, shape: readonly number[]): OrtTensor => {
      const row = inPlace?.rowOf(name);
      return row ? new runtime.Tensor('float32', row, shape) : entered(name, float32Tensor(shape));
    },
    kept: (name: string, shown: Tensor, tensor: OrtTensor): Tensor => {
      if (shown.data !== tensor.data) return shown;
      if (inPlace?.rowOf(name)) return float32Tensor(shown.shape, (shown.data as Float32Array).slice());
      memory?.give(tensor);
      return shown;
    },
    successorOf: (name: string, tensor: OrtTensor | undefined): OrtTensor | undefined => {
      // A sum of gradients is added to where it is, as ONNX Runtime adds to values of its own.
      const row = inPlace?.rowOf(name);
      if (row) return new runtime.Tensor('float32', row, [row.length]);
      return tensor && memory?.successorOf(tensor);
    },
  };
}

function momentsOf(wanted: 'all' | 'weights', parameterOf: ReadonlyMap<string, string>): (moment: string) => boolean {
  const averages = new Set([...parameterOf.values()].map(averageName));
  return (moment) => wanted === 'all' || averages.has(moment);
}

interface Shown {
  readonly forward: Graph;
  readonly tensors: ReadonlyMap<string, OrtTensor>;
  /** What no step moves. */
  readonly unmoved: ReadonlyMap<string, Tensor>;
  /** All of the state, in its order. */
  readonly stateNames: readonly string[];
  /** The moments, and the parameter of each. */
  readonly parameterOf: ReadonlyMap<string, string>;
  readonly device: string;
  readonly library: Library | undefined;
  readonly forwards: number;
  /** Which moments to show. */
  readonly wanted: (moment: string) => boolean;
}

/** The state after `steps` steps; `outside` is a tensor as it is outside of models. */
async function shown(
  { forward, tensors, unmoved, stateNames, parameterOf, device, library, forwards, wanted }: Shown,
  steps: number,
  outside: (name: string, value: Tensor, tensor: OrtTensor) => Tensor,
): Promise<TrainingState> {
  const isShown = (name: string) => !parameterOf.has(name) || wanted(name);
  const fetched = await fetchTensors(new Map([...tensors].filter(([name]) => isShown(name))), device, library);
  const present = (name: string): Tensor => {
    const tensor = fetched.get(name);
    if (!tensor) throw new Error(`the state lacks ${name}, which it had`);
    const { shape } = typeOf(forward, parameterOf.get(name) ?? name);
    return outside(name, fromRuntime(tensor.reshape(shape)), tensor);
  };
  const counted = countBatches(unmoved, (statistic) => tensors.has(statistic), forwards);
  return {
    state: new Map(stateNames.map((name) => [name, counted.get(name) ?? present(name)])),
    optimizer: new Map([...parameterOf.keys()].filter(wanted).map((name) => [name, present(name)])),
    step: steps,
  };
}

/** The tensors on the device that steps gave. */
function createDeviceMemory() {
  const owned = new Set<OrtTensor>();
  const free = (tensor: OrtTensor) => {
    if (owned.delete(tensor)) tensor.dispose();
  };
  return {
    free,
    own: (tensor: OrtTensor) => {
      if (isOnDevice(tensor)) owned.add(tensor);
    },
    freeAllBut: (tensors: Iterable<OrtTensor>) => {
      const used = new Set(tensors);
      for (const tensor of [...owned].filter((it) => !used.has(it))) free(tensor);
    },
  };
}
