import type { Tensor as OrtTensor } from 'onnxruntime-node';
import { type Graph, typeOf } from '../../graph/graph.ts';
import { joinRows } from '../../graph/joinRows.ts';
import { float32Tensor, type Tensor } from '../../graph/tensor.ts';
import type { FloatPrecision } from '../../lowering/lowering.ts';
import { type Optimizer, schedule, scheduleInput } from '../../operators/optimizer/optimizer.ts';
import { accumulatorName } from '../../passes/trainingStep.ts';
import type { Feeds, GraphForBatch, StepResult, TrainingModel, TrainingOptions, TrainingState } from '../engine.ts';
import type { Library } from './capi/library.ts';
import { createMovingState, type MovingState } from './movingState.ts';
import { loadRuntime } from './loadRuntime.ts';
import { guarded, limitsOf, toRuntime } from './session.ts';
import { batchOf } from './sessionsByBatch.ts';
import {
  type BlockedKernels,
  blocksFor,
  type CompiledStep,
  createStepSessions,
  type Form,
  runStep,
  type StepOptions,
  type StepSessions,
} from './stepSessions.ts';
import { watchedUpdates } from './watchedUpdates.ts';

const arrays = { float32: Float32Array, float64: Float64Array } as const;

/** A training under way. */
interface Training {
  readonly state: MovingState;
  readonly sessions: StepSessions;
  /** The network's graph for one image. */
  readonly forward: Graph;
  /** Those that train, in the order of the gradients. */
  readonly parameters: readonly string[];
  readonly optimizer: Optimizer;
  readonly precision: FloatPrecision;
  /** Moves the state by the gradients that a step gave; nothing to do where models move it. */
  readonly update: (gradients: ReadonlyMap<string, OrtTensor>, figures: readonly number[]) => Promise<void>;
  /** Steps taken. */
  steps: number;
  /** Throws if no further run may begin. */
  readonly goOn: (signal?: AbortSignal) => void;
}

/** Training as whole-step ONNX models. See `TrainingModel` for the contract. */
export async function createTrainingModel(
  graphFor: GraphForBatch,
  initial: TrainingState,
  options: TrainingOptions,
  step: StepOptions = {},
  { precision = 'float32', webgpu = limitsOf(options.device), assign }: Form = {},
): Promise<TrainingModel> {
  const forward = graphFor(1);
  const form = { precision, webgpu, ...(assign && { assign }) };
  const blocks = await blocksFor(forward, options, form);
  const state = await enter(initial, { forward, options, blocks, precision, library: step.library });
  const updates = state.moveInPlace ? 'in place' : 'in models';
  const sessions = createStepSessions(graphFor, state.constants, options, { ...form, ...blocks }, step, updates);
  const parameters = forward.parameters.filter((name) => options.trainable.has(name));
  const watched =
    step.observer?.wants() && state.moveInPlace ? watchedUpdates(options.optimizer, step.observer) : undefined;
  let disposed = false;
  let forwards = 0;
  let lastWork: Promise<unknown> = Promise.resolve();
  const training: Training = {
    state,
    sessions,
    forward,
    parameters,
    optimizer: options.optimizer,
    precision,
    update: async (gradients, figures) => {
      const update = () => state.moveInPlace?.(gradients, figures) ?? Promise.resolve();
      await (watched ? watched.run(update) : update());
    },
    steps: initial.step,
    goOn: (signal) => {
      signal?.throwIfAborted();
      if (disposed) throw new Error('the model has been disposed of');
    },
  };
  const working = <Result>(work: Promise<Result>): Promise<Result> => {
    lastWork = Promise.all([lastWork, work.then(nothing, nothing)]).then(nothing);
    return work;
  };

  return {
    async step(batches, learningRate, signal) {
      const [only] = batches;
      if (!only) throw new Error('a step needs a batch');
      const taken =
        batches.length === 1
          ? stepAtOnce(training, only, learningRate, signal)
          : stepByMicroBatches(training, batches, learningRate, signal);
      const result = await working(taken.finally(state.freeUnused));
      training.steps += 1;
      forwards += batches.length;
      return result;
    },
    gradients: (feeds) => working(gradientsOf(training, feeds)),
    snapshot: () => state.snapshot(training.steps, forwards),
    lend: (wanted, use) => state.lend(training.steps, forwards, wanted, use),
    async dispose() {
      disposed = true;
      await lastWork;
      watched?.end();
      state.dispose();
      await sessions.dispose();
    },
  };
}

interface Entrance {
  readonly forward: Graph;
  readonly options: TrainingOptions;
  readonly blocks: BlockedKernels;
  readonly precision: FloatPrecision;
  readonly library: Library | undefined;
}

/** Apart, so that no closure of the model holds the first state for as long as it trains. */
function enter(initial: TrainingState, { forward, options, blocks, precision, library }: Entrance) {
  return guarded(options.device, () =>
    Promise.resolve(createMovingState(forward, initial, options, blocks, precision, library)),
  );
}

function toInputs({ precision }: Training, feeds: Feeds): Map<string, OrtTensor> {
  const runtime = loadRuntime();
  return new Map([...feeds].map(([name, tensor]) => [name, toRuntime(runtime, tensor, precision)]));
}

/** What the update of the next step takes its figures from: the input of a model, unless it is made in place. */
function scheduled({ state, precision }: Training, figures: readonly number[]): [string, OrtTensor][] {
  if (state.moveInPlace) return [];
  const { Tensor: RuntimeTensor } = loadRuntime();
  return [[scheduleInput, new RuntimeTensor(precision, arrays[precision].from(figures), [figures.length])]];
}

async function stepAtOnce(
  training: Training,
  feeds: Feeds,
  learningRate: number,
  signal: AbortSignal | undefined,
): Promise<StepResult> {
  training.goOn(signal);
  const { state, optimizer, steps, update } = training;
  const figures = schedule(optimizer, steps + 1, learningRate);
  const compiled = await training.sessions.get('full', batchOf(feeds));
  const inputs = new Map([...toInputs(training, feeds), ...scheduled(training, figures)]);
  const sums = new Map<string, OrtTensor>();
  const [loss, logProbabilities, norm] = await run(state, compiled, inputs, { sums, signal });
  await update(sums, figures);
  return { ...forwardResult(loss, logProbabilities), gradientNorm: scalar(norm) };
}

/** Between any two runs, and in a long one, it can be given up, and the state is then as it was before. */
async function stepByMicroBatches(
  training: Training,
  batches: readonly Feeds[],
  learningRate: number,
  signal: AbortSignal | undefined,
): Promise<StepResult> {
  const { state, sessions, forward, parameters, optimizer, steps, precision, update, goOn } = training;
  const zeros = (name: string) => toRuntime(loadRuntime(), float32Tensor(typeOf(forward, name).shape), precision);
  const sums = new Map(parameters.map((name) => [accumulatorName(name), zeros(name)]));
  // Every micro-batch moves the running statistics.
  const before = new Map(state.tensors);
  const results: ForwardResult[] = [];
  try {
    for (const feeds of batches) {
      goOn(signal);
      const compiled = await sessions.get('accumulate', batchOf(feeds));
      const [loss, logProbabilities] = await run(state, compiled, toInputs(training, feeds), { sums, signal });
      results.push(forwardResult(loss, logProbabilities));
    }
    goOn(signal);
    const figures = schedule(optimizer, steps + 1, learningRate);
    const compiled = await sessions.get('update', 1);
    const [norm] = await run(state, compiled, new Map(scheduled(training, figures)), { sums, signal });
    await update(sums, figures);
    return { ...joinResults(results), gradientNorm: scalar(norm) };
  } catch (error) {
    state.restore(before);
    throw error;
  }
}

async function gradientsOf(training: Training, feeds: Feeds): Promise<Map<string, Tensor>> {
  const { state, sessions, parameters, goOn } = training;
  goOn();
  const compiled = await sessions.get('gradients', batchOf(feeds));
  const [, , ...gradients] = await run(state, compiled, toInputs(training, feeds));
  return new Map(
    parameters.map((name, index) => [name, required(state.inTorchOrder(name, required(gradients[index])))]),
  );
}

/** A promise of nothing keeps no results. */
function nothing(): void {
  return undefined;
}

interface RunOptions {
  /** Sums of gradients, which are not part of the state. */
  readonly sums?: Map<string, OrtTensor>;
  readonly signal?: AbortSignal | undefined;
}

/** Runs a step and keeps what it updates: sums of gradients in `sums`, all else in the state. */
async function run(
  state: MovingState,
  compiled: CompiledStep,
  feeds: ReadonlyMap<string, OrtTensor>,
  { sums = new Map<string, OrtTensor>(), signal }: RunOptions = {},
): Promise<Tensor[]> {
  const present = (name: string) => state.tensors.get(name) ?? sums.get(name);
  const { outputs, updates } = await runStep(compiled, feeds, present, state.successor, signal);
  for (const [name, tensor] of updates) {
    state.own(tensor);
    if (state.tensors.has(name)) state.replace(name, tensor);
    else {
      const before = sums.get(name);
      sums.set(name, tensor);
      if (before) state.free(before);
    }
  }
  return outputs;
}

function required(tensor: Tensor | undefined): Tensor & { dtype: 'float32' } {
  if (tensor?.dtype !== 'float32') throw new Error('the step gave no float32 result');
  return tensor;
}

/** What the forward part of a step gives. */
type ForwardResult = Omit<StepResult, 'gradientNorm'>;

function scalar(tensor: Tensor | undefined): number {
  return required(tensor).data[0] ?? Number.NaN;
}

function forwardResult(loss: Tensor | undefined, logProbabilities: Tensor | undefined): ForwardResult {
  return { loss: scalar(loss), logProbabilities: required(logProbabilities) };
}

function joinResults(results: readonly ForwardResult[]): ForwardResult {
  return {
    loss: results.reduce((sum, result) => sum + result.loss, 0),
    logProbabilities: joinRows(results.map((result) => result.logProbabilities)),
  };
}
