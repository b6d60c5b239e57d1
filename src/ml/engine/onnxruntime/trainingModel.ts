import type { Tensor as OrtTensor } from 'onnxruntime-node';
import { typeOf } from '../../graph/graph.ts';
import { joinRows } from '../../graph/joinRows.ts';
import { float32Tensor, type Tensor } from '../../graph/tensor.ts';
import { schedule, scheduleInput } from '../../operators/optimizer/optimizer.ts';
import { accumulatorName } from '../../passes/trainingStep.ts';
import type { Feeds, GraphForBatch, StepResult, TrainingModel, TrainingOptions, TrainingState } from '../engine.ts';
import { createMovingState, type MovingState } from './movingState.ts';
import { loadRuntime } from './loadRuntime.ts';
import { guarded, limitsOf, toRuntime } from './session.ts';
import { batchOf } from './sessionsByBatch.ts';
import {
  blocksFor,
  type CompiledStep,
  createStepSessions,
  type Form,
  runStep,
  type StepOptions,
} from './stepSessions.ts';

const arrays = { float32: Float32Array, float64: Float64Array } as const;

/** Training as whole-step ONNX models. See `TrainingModel` for the contract. */
export async function createTrainingModel(
  graphFor: GraphForBatch,
  initial: TrainingState,
  options: TrainingOptions,
  step: StepOptions = {},
  { precision = 'float32', webgpu = limitsOf(options.device), assign }: Form = {},
): Promise<TrainingModel> {
  const runtime = loadRuntime();
  const { trainable, optimizer } = options;
  const forward = graphFor(1);
  const form = { precision, webgpu, ...(assign && { assign }) };
  const blocks = await blocksFor(forward, options, form);
  const state = await guarded(options.device, () =>
    Promise.resolve(createMovingState(forward, initial, options, blocks, precision, step.library)),
  );
  const sessions = createStepSessions(graphFor, state.constants, options, { ...form, ...blocks }, step);
  const parameters = forward.parameters.filter((name) => trainable.has(name));
  let steps = initial.step;
  let forwards = 0;

  const toInputs = (feeds: Feeds) =>
    new Map([...feeds].map(([name, tensor]) => [name, toRuntime(runtime, tensor, precision)]));
  const scheduled = (learningRate: number): [string, OrtTensor] => {
    const values = schedule(optimizer, steps + 1, learningRate);
    return [scheduleInput, new runtime.Tensor(precision, arrays[precision].from(values), [values.length])];
  };
  const stepAtOnce = async (feeds: Feeds, learningRate: number): Promise<StepResult> => {
    const inputs = new Map([...toInputs(feeds), scheduled(learningRate)]);
    const [loss, logProbabilities, norm] = await run(state, await sessions.get('full', batchOf(feeds)), inputs);
    return { ...forwardResult(loss, logProbabilities), gradientNorm: scalar(norm) };
  };

  const stepByMicroBatches = async (batches: readonly Feeds[], learningRate: number): Promise<StepResult> => {
    const zeros = (name: string) => toRuntime(runtime, float32Tensor(typeOf(forward, name).shape), precision);
    const sums = new Map(parameters.map((name) => [accumulatorName(name), zeros(name)]));
    // Every micro-batch moves the running statistics.
    const before = new Map(state.tensors);
    const results: ForwardResult[] = [];
    try {
      for (const feeds of batches) {
        const compiled = await sessions.get('accumulate', batchOf(feeds));
        const [loss, logProbabilities] = await run(state, compiled, toInputs(feeds), sums);
        results.push(forwardResult(loss, logProbabilities));
      }
      const [norm] = await run(state, await sessions.get('update', 1), new Map([scheduled(learningRate)]), sums);
      return { ...joinResults(results), gradientNorm: scalar(norm) };
    } catch (error) {
      state.restore(before);
      throw error;
    }
  };

  return {
    async step(batches, learningRate) {
      const [only] = batches;
      if (!only) throw new Error('a step needs a batch');
      const taken = batches.length === 1 ? stepAtOnce(only, learningRate) : stepByMicroBatches(batches, learningRate);
      const result = await taken.finally(state.freeUnused);
      steps += 1;
      forwards += batches.length;
      return result;
    },
    async gradients(feeds) {
      const [, , ...gradients] = await run(state, await sessions.get('gradients', batchOf(feeds)), toInputs(feeds));
      return new Map(
        parameters.map((name, index) => [name, required(state.inTorchOrder(name, required(gradients[index])))]),
      );
    },
    snapshot: () => state.snapshot(steps, forwards),
    async dispose() {
      state.dispose();
      await sessions.dispose();
    },
  };
}

/** Runs a step and keeps what it updates: sums of gradients in `sums`, all else in the state. */
async function run(
  state: MovingState,
  compiled: CompiledStep,
  feeds: ReadonlyMap<string, OrtTensor>,
  sums = new Map<string, OrtTensor>(),
): Promise<Tensor[]> {
  const present = (name: string) => state.tensors.get(name) ?? sums.get(name);
  const { outputs, updates } = await runStep(compiled, feeds, present, state.successor);
  for (const [name, tensor] of updates) {
    state.own(tensor);
    if (state.tensors.has(name)) state.replace(name, tensor);
    else sums.set(name, tensor);
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
