import type { Tensor as OrtTensor } from 'onnxruntime-node';
import { type Graph, typeOf } from '../../graph/graph.ts';
import { elementCount, type StateDict, type Tensor } from '../../graph/tensor.ts';
import { areWorthwhile, assignLayouts, type AssignLayouts } from '../../lowering/blocked/assignLayouts.ts';
import type { FloatPrecision } from '../../lowering/lowering.ts';
import type { WebgpuLimits } from '../../lowering/webgpu/webgpuLimits.ts';
import { rowsOf, writeOnnx } from '../../lowering/writeOnnx.ts';
import {
  accumulatedGradients,
  accumulationStep,
  fullStep,
  gradientStep,
  stepToGradients,
  updateStep,
} from '../../passes/trainingStep.ts';
import type { GraphForBatch, ProfileObserver, TrainingOptions } from '../engine.ts';
import { cpuBlockSize } from './blockSize.ts';
import { reshaped } from './deviceTensors.ts';
import { createSession, fromRuntime, guarded, type SessionWishes } from './session.ts';
import type { Session } from './sessionTypes.ts';
import type { Replay } from './webgpu/replayedSession.ts';

/** What a model of a training computes: a whole step, gradients alone, gradients added to sums, or the update by those. */
export type StepPurpose = 'full' | 'gradients' | 'accumulate' | 'update';

/** How the models are written. */
export interface Form {
  /**
   * With `float64`, on the CPU only, every step is computed and kept in double precision; what goes in and comes out is
   * float32 all the same.
   */
  readonly precision?: FloatPrecision;
  /** The forms that suit WebGPU; by default on its device only. The CPU can run them too. */
  readonly webgpu?: WebgpuLimits | undefined;
  /** Chooses what computes on the CPU's blocked images; by default where it pays. */
  readonly assign?: AssignLayouts;
}

/** How the models of a training use the CPU's layout in blocks. */
export interface BlockedKernels {
  /** Channels of a block; 0 for models in the plain layout. */
  readonly block: number;
  /** The weights that all of the models, whatever their purpose, hold in blocks. */
  readonly kernels: ReadonlySet<string>;
}

const noBlocks: BlockedKernels = { block: 0, kernels: new Set() };

/** Blocks if the CPU has the layout and a step of `forward` has enough work on them. */
export async function blocksFor(
  forward: Graph,
  options: TrainingOptions,
  { precision = 'float32', webgpu, assign }: Form,
): Promise<BlockedKernels> {
  const block = precision === 'float32' && !webgpu && options.device === 'cpu' ? await cpuBlockSize() : 0;
  if (block === 0) return noBlocks;
  const step = gradientStep(forward, options);
  if (assign) return { block, kernels: assign(step, block).kernels };
  const layouts = assignLayouts(step, block);
  return areWorthwhile(step, layouts) ? { block, kernels: layouts.kernels } : noBlocks;
}

/** A graph compiled for one batch size and purpose. */
export interface CompiledStep {
  readonly graph: Graph;
  readonly session: Session;
  /** What the session takes and gives as rows. */
  readonly rows: ReadonlySet<string>;
  readonly device: string;
}

export interface StepSessions {
  /** Compiled when it is first asked for. */
  get(purpose: StepPurpose, batchSize: number): Promise<CompiledStep>;
  dispose(): Promise<void>;
}

/** How the models of a training are run. */
export interface StepOptions extends Pick<SessionWishes, 'library'> {
  readonly observer?: ProfileObserver | undefined;
  /** Records and replays whole steps on WebGPU, where `library` is for that, and hears why where it does not. */
  readonly replay?: Replay['refused'] | undefined;
}

/** Where parameters are moved: by the models, or in place by what those give. */
type Updates = 'in models' | 'in place';

/** The models of a training, one for each purpose and batch size; `constants` are the tensors that they hold. */
export function createStepSessions(
  graphFor: GraphForBatch,
  constants: StateDict,
  options: TrainingOptions,
  { precision, webgpu, assign, block, kernels }: Form & BlockedKernels,
  { observer, library, replay }: StepOptions,
  updates: Updates,
): StepSessions {
  const { device } = options;
  const compiled = new Map<string, Promise<CompiledStep>>();
  // A recorded step keeps the memory of all that it computes: of several sizes, only that of most batches is recorded.
  let recordedBatch = 0;
  const replayOf = (purpose: StepPurpose, batchSize: number, graph: Graph): SessionWishes['replay'] => {
    if (!replay || purpose !== 'full' || batchSize <= recordedBatch) return undefined;
    recordedBatch = batchSize;
    return { predecessors: predecessorsOf(graph), refused: replay };
  };
  const compile = async (purpose: StepPurpose, batchSize: number): Promise<CompiledStep> => {
    const graph = graphOf(purpose, graphFor(batchSize), options, updates);
    const outputs = [...new Set(graph.updates.values())];
    const hidesShapes = device === 'cpu' && !webgpu;
    const layout = { block, blockedKernels: kernels, assign, webgpu, hidesShapes };
    const model = writeOnnx(graph, { constants, outputs, ...layout, ...(precision && { precision }) });
    const kind = block > 0 ? 'blocked training' : 'training';
    const session = await createSession(model, device, kind, {
      watch: { purpose, batchSize, observer },
      kept: outputs,
      library,
      replay: replayOf(purpose, batchSize, graph),
    });
    return { graph, session, rows: rowsOf(graph), device };
  };
  return {
    get: (purpose, batchSize) => {
      const key = `${purpose} ${String(batchSize)}`;
      const step = compiled.get(key) ?? compile(purpose, batchSize);
      compiled.set(key, step);
      return step;
    },
    dispose: async () => {
      const opened = await Promise.allSettled(compiled.values());
      compiled.clear();
      for (const result of opened) if (result.status === 'fulfilled') await result.value.session.release();
    },
  };
}

/** Of the successors in a step's state what they succeed, by their names in the model. */
function predecessorsOf({ updates }: Graph): ReadonlyMap<string, string> {
  return new Map([...updates].map(([name, successor]) => [successor, name]));
}

/** The graph of a purpose; that of gradients moves nothing. */
function graphOf(purpose: StepPurpose, forward: Graph, options: TrainingOptions, updates: Updates): Graph {
  const inPlace = updates === 'in place';
  switch (purpose) {
    case 'full':
      return inPlace ? stepToGradients(forward, options) : fullStep(forward, options);
    case 'gradients':
      return { ...gradientStep(forward, options), updates: new Map() };
    case 'accumulate':
      return accumulationStep(forward, options);
    case 'update':
      return inPlace ? accumulatedGradients(forward, options) : updateStep(forward, options);
  }
}

/**
 * Runs a compiled step once. Its inputs are `feeds`, and `state` where those have none. Gives the graph's outputs, and
 * the successors of what it updates by name, left where the model put them: in the tensor that `successor` has for a name,
 * where it has one and the session can. Throws what `signal` is aborted with, if that ends the run before its time.
 */
export async function runStep(
  { graph, session, rows, device }: CompiledStep,
  feeds: ReadonlyMap<string, OrtTensor>,
  state: (name: string) => OrtTensor | undefined,
  successor: (name: string) => OrtTensor | undefined,
  signal?: AbortSignal,
): Promise<{ readonly outputs: Tensor[]; readonly updates: ReadonlyMap<string, OrtTensor> }> {
  const asModelHasIt = (name: string, tensor: OrtTensor) => {
    const { shape } = typeOf(graph, name);
    return reshaped(tensor, rows.has(name) ? [elementCount(shape)] : shape);
  };
  const inputs: Record<string, OrtTensor> = {};
  for (const name of session.inputNames) {
    const fed = feeds.get(name);
    const kept = state(name);
    if (fed) inputs[name] = fed;
    else if (kept) inputs[name] = asModelHasIt(name, kept);
    else throw new Error(`the step needs ${name}, and nothing feeds it`);
  }
  const fetches = () => {
    const wanted: Record<string, OrtTensor | null> = Object.fromEntries(graph.outputs.map((name) => [name, null]));
    for (const [name, value] of graph.updates) {
      const tensor = session.writesIntoFetches === true ? successor(name) : undefined;
      wanted[value] = tensor ? asModelHasIt(name, tensor) : null;
    }
    return wanted;
  };
  const results = await guarded(device, () => session.run(inputs, fetches(), signal));
  const result = (name: string) => {
    const tensor = results[name];
    if (!tensor) throw new Error(`the step gave no ${name}`);
    return tensor;
  };
  return {
    outputs: graph.outputs.map((name) => fromRuntime(result(name))),
    updates: new Map([...graph.updates].map(([name, value]) => [name, result(value)])),
  };
}
