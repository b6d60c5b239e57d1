import type { Tensor as OrtTensor } from 'onnxruntime-node';
import type { Graph } from '../../graph/graph.ts';
import { typeOf } from '../../graph/graph.ts';
import { joinRows } from '../../graph/joinRows.ts';
import { areWorthwhile, assignLayouts, type AssignLayouts } from '../../lowering/blocked/assignLayouts.ts';
import { fromBlockedOrder, toBlockedOrder } from '../../lowering/blocked/blockedWeights.ts';
import { rowsOf } from '../../lowering/writeOnnx.ts';
import type { Precision } from '../../lowering/lowering.ts';
import type { WebgpuLimits } from '../../lowering/webgpu/webgpuLimits.ts';
import { writeOnnx } from '../../lowering/writeOnnx.ts';
import { momentNames, schedule, scheduleInput } from '../../operators/optimizer/optimizer.ts';
import { elementCount, float32Tensor, type Tensor } from '../../graph/tensor.ts';
import { accumulationStep, accumulatorName, fullStep, gradientStep, updateStep } from '../../passes/trainingStep.ts';
import type {
  Feeds,
  GraphForBatch,
  ProfileObserver,
  StepResult,
  TrainingModel,
  TrainingOptions,
  TrainingState,
} from '../engine.ts';
import { countBatches } from '../countBatches.ts';
import { cpuBlockSize } from './blockSize.ts';
import { fetchTensors, isOnDevice, reshaped } from './deviceTensors.ts';
import { batchOf } from './sessionsByBatch.ts';
import { createSession, fromRuntime, guarded, limitsOf, loadRuntime, type Session, toRuntime } from './session.ts';

/**
 * The tensors that steps move, by name, as the models have them: on the device where it keeps them. A step puts new
 * tensors into their places and leaves the old ones as they are until it has succeeded: a failed step leaves no trace,
 * and nothing needs to be copied. Outputs are not given a place beforehand, since ONNX Runtime's binding copies them out
 * of it all the same.
 */
type Living = Map<string, OrtTensor>;

/** A graph compiled for one batch size and purpose. */
interface Compiled {
  readonly graph: Graph;
  readonly session: Session;
  /** What the session takes and gives as rows. */
  readonly flat: ReadonlySet<string>;
}

const arrays = { float32: Float32Array, float64: Float64Array } as const;

type Purpose = 'full' | 'gradients' | 'accumulate' | 'update';

/** How the models are written. */
export interface Form {
  /**
   * With `float64`, on the CPU only, every step is computed and kept in double precision; what goes in and comes out is
   * float32 all the same.
   */
  readonly precision?: Precision;
  /** The forms that suit WebGPU; by default on its device only. The CPU can run them too. */
  readonly webgpu?: WebgpuLimits | undefined;
  /** Chooses what computes on the CPU's blocked images; by default where it pays. */
  readonly assign?: AssignLayouts;
}

/** Training as whole-step ONNX models. See `TrainingModel` for the contract. */
export async function createTrainingModel(
  graphFor: GraphForBatch,
  initial: TrainingState,
  options: TrainingOptions,
  observer?: ProfileObserver,
  { precision = 'float32', webgpu = limitsOf(options.device), assign }: Form = {},
): Promise<TrainingModel> {
  const runtime = loadRuntime();
  const { trainable, optimizer, device } = options;
  const compiled = new Map<string, Promise<Compiled>>();
  const sample = graphFor(1);
  const isForBlocks = precision === 'float32' && !webgpu && device === 'cpu';
  const { block, kernels } = isForBlocks ? await blocksFor(gradientStep(sample, trainable), assign) : noBlocks;
  const held = new Set([...kernels, ...[...kernels].flatMap((name) => momentNames(optimizer, name))]);
  const enter = (name: string, tensor: Tensor) =>
    toRuntime(runtime, held.has(name) ? toBlockedOrder(tensor, block) : tensor, precision);
  const leave = (name: string, tensor: Tensor) => (held.has(name) ? fromBlockedOrder(tensor, block) : tensor);
  const living: Living = new Map();
  const constants = new Map<string, Tensor>();
  for (const name of [...sample.parameters, ...sample.buffers]) {
    const tensor = initial.state.get(name);
    if (!tensor) throw new Error(`the state has no tensor named ${name}`);
    if (trainable.has(name) || sample.updates.has(name)) living.set(name, enter(name, tensor));
    else constants.set(name, tensor);
  }
  const parameterOf = new Map<string, string>();
  for (const parameter of sample.parameters.filter((name) => trainable.has(name))) {
    for (const moment of momentNames(optimizer, parameter)) {
      parameterOf.set(moment, parameter);
      const tensor = initial.optimizer.get(moment) ?? float32Tensor(typeOf(sample, parameter).shape);
      living.set(moment, enter(moment, tensor));
    }
  }
  const stateNames = new Set(initial.state.keys());
  const still = new Map([...initial.state].filter(([name]) => !living.has(name)));
  let steps = initial.step;
  let forwards = 0;
  const loaded = new Set<OrtTensor>();
  /** Frees what is on the device and no longer lives; the garbage collector knows nothing of a device's memory. */
  const freeUnused = () => {
    const used = new Set(living.values());
    for (const tensor of [...loaded].filter((it) => !used.has(it))) {
      tensor.dispose();
      loaded.delete(tensor);
    }
  };

  const compile = (purpose: Purpose, batchSize: number): Promise<Compiled> => {
    const key = `${purpose} ${String(batchSize)}`;
    const known = compiled.get(key) ?? open(purpose, batchSize);
    compiled.set(key, known);
    return known;
  };
  const open = async (purpose: Purpose, batchSize: number): Promise<Compiled> => {
    const graph = graphOf(purpose, graphFor(batchSize), options);
    const model = writeOnnx(graph, {
      constants,
      outputs: [...graph.updates.values()],
      block,
      blockedKernels: kernels,
      assign,
      webgpu,
      precision,
    });
    const watch = { purpose, batchSize, observer };
    const kind = block > 0 ? 'blocked training' : 'training';
    const session = await createSession(model, device, kind, watch, graph.updates.values());
    return { graph, session, flat: rowsOf(graph) };
  };

  const toInputs = (feeds: Feeds) =>
    new Map([...feeds].map(([name, tensor]) => [name, toRuntime(runtime, tensor, precision)]));

  const run = async (
    { graph, session, flat }: Compiled,
    feeds: ReadonlyMap<string, OrtTensor>,
    accumulators: Living = new Map(),
  ) => {
    const shaped = (name: string, tensor: OrtTensor) => {
      const { shape } = typeOf(graph, name);
      return reshaped(tensor, flat.has(name) ? [elementCount(shape)] : shape);
    };
    const inputs: Record<string, OrtTensor> = {};
    for (const name of session.inputNames) {
      const fed = feeds.get(name);
      const kept = living.get(name) ?? accumulators.get(name);
      if (fed) inputs[name] = fed;
      else if (kept) inputs[name] = shaped(name, kept);
      else throw new Error(`the step needs ${name}, and nothing feeds it`);
    }
    const fetches = [...graph.outputs, ...graph.updates.values()].map((name) => [name, null] as const);
    const results = await guarded(device, () => session.run(inputs, Object.fromEntries(fetches)));
    const result = (name: string) => {
      const tensor = results[name];
      if (!tensor) throw new Error(`the step gave no ${name}`);
      return tensor;
    };
    for (const [name, value] of graph.updates) {
      const place = living.has(name) ? living : accumulators;
      const tensor = result(value);
      if (isOnDevice(tensor)) loaded.add(tensor);
      place.set(name, tensor);
    }
    return graph.outputs.map((name) => fromRuntime(result(name)));
  };

  const scheduled = (learningRate: number): [string, OrtTensor] => {
    const values = schedule(optimizer, steps + 1, learningRate);
    return [scheduleInput, new runtime.Tensor(precision, arrays[precision].from(values), [4])];
  };

  const whole = async (feeds: Feeds, learningRate: number): Promise<StepResult[]> => {
    const inputs = new Map([...toInputs(feeds), scheduled(learningRate)]);
    return [stepResult(await run(await compile('full', batchOf(feeds)), inputs))];
  };

  const accumulate = async (batches: readonly Feeds[], learningRate: number): Promise<StepResult[]> => {
    const accumulators: Living = new Map();
    for (const name of sample.parameters.filter((parameter) => trainable.has(parameter))) {
      accumulators.set(accumulatorName(name), toRuntime(runtime, float32Tensor(typeOf(sample, name).shape), precision));
    }
    // Every micro-batch moves the running statistics.
    const before = new Map(living);
    const results: StepResult[] = [];
    try {
      for (const feeds of batches) {
        results.push(stepResult(await run(await compile('accumulate', batchOf(feeds)), toInputs(feeds), accumulators)));
      }
      await run(await compile('update', 1), new Map([scheduled(learningRate)]), accumulators);
    } catch (error) {
      for (const [name, tensor] of before) living.set(name, tensor);
      throw error;
    }
    return results;
  };

  const snapshot = async (): Promise<TrainingState> => {
    const fetched = await fetchTensors(living, device);
    const present = (name: string): Tensor => {
      const { shape } = typeOf(sample, parameterOf.get(name) ?? name);
      return leave(name, fromRuntime(existing(fetched.get(name)).reshape(shape)));
    };
    const counted = countBatches(still, (statistic) => living.has(statistic), forwards);
    return {
      state: new Map([...stateNames].map((name) => [name, counted.get(name) ?? present(name)])),
      optimizer: new Map([...parameterOf.keys()].map((name) => [name, present(name)])),
      step: steps,
    };
  };

  return {
    async step(batches, learningRate) {
      const [only] = batches;
      if (!only) throw new Error('a step needs a batch');
      const results = await (
        batches.length === 1 ? whole(only, learningRate) : accumulate(batches, learningRate)
      ).finally(freeUnused);
      steps += 1;
      forwards += batches.length;
      return joinResults(results);
    },
    async gradients(feeds) {
      const compiledStep = await compile('gradients', batchOf(feeds));
      const { graph } = compiledStep;
      const outputs = await run({ ...compiledStep, graph: { ...graph, updates: new Map() } }, toInputs(feeds));
      const names = graph.parameters.filter((name) => trainable.has(name));
      return new Map(names.map((name, index) => [name, required(leave(name, required(outputs[index + 2])))]));
    },
    snapshot,
    async dispose() {
      living.clear();
      freeUnused();
      const opened = await Promise.allSettled(compiled.values());
      compiled.clear();
      for (const result of opened) if (result.status === 'fulfilled') await result.value.session.release();
    },
  };
}

/** How the models of a training use the CPU's layout in blocks. */
interface Blocks {
  /** Channels a block; 0 for models in the plain layout. */
  readonly block: number;
  /** The weights that all of the models, whatever their purpose, hold in blocks. */
  readonly kernels: ReadonlySet<string>;
}

const noBlocks: Blocks = { block: 0, kernels: new Set() };

/** Blocks if the CPU has the layout and the step has enough work on them. */
async function blocksFor(step: Graph, assign: AssignLayouts | undefined): Promise<Blocks> {
  const block = await cpuBlockSize();
  if (block === 0) return noBlocks;
  if (assign) return { block, kernels: assign(step, block).kernels };
  const layouts = assignLayouts(step, block);
  return areWorthwhile(step, layouts) ? { block, kernels: layouts.kernels } : noBlocks;
}

function graphOf(purpose: Purpose, forward: Graph, options: TrainingOptions): Graph {
  switch (purpose) {
    case 'full':
      return fullStep(forward, options);
    case 'gradients':
      return gradientStep(forward, options.trainable);
    case 'accumulate':
      return accumulationStep(forward, options.trainable);
    case 'update':
      return updateStep(forward, options);
  }
}

function existing(tensor: OrtTensor | undefined): OrtTensor {
  if (!tensor) throw new Error('the state lacks a tensor that it had');
  return tensor;
}

function required(tensor: Tensor | undefined): Tensor & { dtype: 'float32' } {
  if (tensor?.dtype !== 'float32') throw new Error('the step gave no float32 result');
  return tensor;
}

function stepResult([loss, logProbabilities]: readonly Tensor[]): StepResult {
  return { loss: required(loss).data[0] ?? Number.NaN, logProbabilities: required(logProbabilities) };
}

function joinResults(results: readonly StepResult[]): StepResult {
  const [first] = results;
  if (results.length === 1 && first) return first;
  return {
    loss: results.reduce((sum, result) => sum + result.loss, 0),
    logProbabilities: joinRows(results.map((result) => result.logProbabilities)),
  };
}
