import process from 'node:process';
import { cancelled, CancelledError, userError } from '../../../protocol/errors.ts';
import type { RunRecord } from '../../../protocol/runRecord.ts';
import type { TrainingConfig } from '../../../protocol/trainingConfig.ts';
import type { TrainingEvent } from '../../../protocol/trainingEvents.ts';
import { type CheckpointKind } from '../../../runs/checkpointFiles.ts';
import type { StepResult } from '../../engine/engine.ts';
import type { StateDict } from '../../graph/tensor.ts';
import { hearRequests, type TrainingControl, whenNotPaused } from '../run/control.ts';
import type { ReadyBatch, ReadyBatches } from '../features/readyBatches.ts';
import { diverged, isDiverged, type RunFacts, saveCheckpoints } from '../run/saver.ts';
import { checkpointMoment, type Validated } from './checkpointMoment.ts';
import { shouldStop } from './earlyStop.ts';
import { epochAt, measureOn, passStep, passValidation, type Position, validationsLeft } from './position.ts';
import { learningRateAt } from './schedule.ts';
import { type Stepper, usedWeights } from './stepper.ts';
import { createThroughput, type Throughput } from './throughput.ts';
import type { Validation } from './validator.ts';

/** An event before it has its time. */
export type TimelessEvent = TrainingEvent extends infer Event
  ? Event extends TrainingEvent
    ? Omit<Event, 'time'>
    : never
  : never;

export interface LoopOptions {
  readonly config: TrainingConfig;
  readonly run: string;
  /** Folder of the checkpoints. */
  readonly checkpoints: string;
  readonly facts: RunFacts;
  readonly device: string;
  readonly stepsPerEpoch: number;
  /** Views of each image whose features are kept, seen one an epoch over and over; absent if every epoch has new ones. */
  readonly views?: number;
  readonly batches: ReadyBatches;
  readonly stepper: Stepper;
  readonly validate: (state: StateDict, signal: AbortSignal) => Promise<Validation>;
  /** Runs what writes checkpoints; who measures it wraps it. */
  readonly save: <Result>(work: () => Promise<Result>) => Promise<Result>;
  readonly control: TrainingControl;
  /** The run is stopped once this many epochs are done, with its schedule for all of them; a resume continues it. */
  readonly untilEpoch?: number;
  readonly start: Position;
  readonly emit: (event: TimelessEvent) => void;
  /** Writes state and progress to the run's record. */
  readonly record: (changes: Partial<RunRecord>) => Promise<void>;
}

export interface LoopResult {
  readonly state: 'finished' | 'stopped';
  readonly reason: string;
  readonly position: Position;
}

/**
 * Takes the steps of a run from `start` to its end: validates every `validateEvery` steps and at the end of each epoch,
 * saves `last` each time, and `best` at the highest validation accuracy (of equals the one with the lower loss). Ends
 * early on request with everything saved: after the step or, if that is computed in parts or takes long, in the middle of it and
 * as it was before the step. Throws a user error where the numbers run away or the disk refuses; what was learned since the last checkpoint is
 * saved first where it is of any use.
 */
export async function trainingLoop(options: LoopOptions): Promise<LoopResult> {
  const loop: Loop = {
    ...options,
    position: { ...options.start, trainLoss: { ...options.start.trainLoss } },
    totalSteps: options.stepsPerEpoch * options.config.epochs,
    throughput: createThroughput(),
    savedStep: undefined,
    validated: undefined,
    told: undefined,
  };
  const endAnswers = options.control.onChange(() => answer(loop));
  try {
    return await run(loop);
  } catch (error) {
    if (error instanceof CancelledError && options.control.signal.aborted) return await stop(loop);
    if (!isDiverged(error)) await rescue(loop);
    throw error;
  } finally {
    endAnswers();
  }
}

/** A run under way. */
interface Loop extends LoopOptions {
  readonly position: Position;
  readonly totalSteps: number;
  readonly throughput: Throughput;
  /** Step of the last checkpoint. */
  savedStep: number | undefined;
  /** The last validation, for all that is saved at its step. */
  validated: ({ readonly step: number } & Validated) | undefined;
  /** What it was asked for and has said that it heard. */
  told: 'pause' | 'stop' | undefined;
}

async function run(loop: Loop): Promise<LoopResult> {
  const { position, config, control, untilEpoch = Infinity } = loop;
  const { epochs } = config;
  while (position.epoch < epochs) {
    if (shouldStop(position.earlyStop, config.earlyStop)) {
      const count = position.earlyStop.epochsWithoutBetter;
      const reason = `The validation loss did not improve for ${count} ${count === 1 ? 'epoch' : 'epochs'}, so the run stopped early.`;
      return { state: 'finished', reason, position };
    }
    if (position.epoch >= untilEpoch) {
      const reason = `Stopped after epoch ${position.epoch} of ${epochs}, as asked for.`;
      return { state: 'stopped', reason, position };
    }
    control.signal.throwIfAborted();
    await trainEpoch(loop);
    await endEpoch(loop);
  }
  const reason = epochs === 1 ? 'The one epoch is done.' : `All ${epochs} epochs are done.`;
  return { state: 'finished', reason, position };
}

/** Says at once that a stop or a pause was heard, whenever the step in progress ends. */
function answer(loop: Loop): void {
  const { control, emit, told } = loop;
  const wanted = control.signal.aborted ? 'stop' : control.paused ? 'pause' : undefined;
  loop.told = wanted;
  if (wanted === undefined || wanted === told) return;
  try {
    if (wanted === 'pause') emit({ event: 'log', level: 'info', message: 'Pausing before the next step.' });
    else emit({ event: 'state', state: 'stopping' });
  } catch {
    // A disk that takes nothing more is found by the next event of the loop, which can end the run.
    loop.told = told;
  }
}

/** Trains to the end of the present epoch. */
async function trainEpoch(loop: Loop): Promise<void> {
  const { position, control } = loop;
  await loop.stepper.enter(position.epoch);
  loop.throughput.begin();
  if (validationIsDue(loop)) await validateAndSave(loop, false);
  for await (const batch of loop.batches(position.epoch, position.batchInEpoch)) {
    await hearRequests();
    let taken = false;
    while (!taken) {
      await pauseIfAsked(loop);
      control.signal.throwIfAborted();
      taken = await takeStep(loop, batch);
    }
    if (validationIsDue(loop)) await validateAndSave(loop, false);
  }
}

/** Takes a step, and says whether it was taken: one in parts or a long one is given up for a pause, and is taken after it. */
async function takeStep(loop: Loop, { index, feeds, labels, ownShare }: ReadyBatch): Promise<boolean> {
  const { config, control, position, stepsPerEpoch, totalSteps } = loop;
  const learningRate = learningRateAt(position.step, { ...config, stepsPerEpoch, totalSteps });
  const holding = new AbortController();
  const endHolding = control.onChange(() => {
    if (control.paused || control.signal.aborted) holding.abort(cancelled());
  });
  let result: StepResult;
  try {
    result = await loop.stepper.take(feeds, labels, learningRate, { ownShare, signal: holding.signal });
  } catch (error) {
    const isHeld = error instanceof CancelledError && holding.signal.aborted;
    if (isHeld && !control.signal.aborted) return false;
    throw error;
  } finally {
    endHolding();
  }
  const { loss, gradientNorm } = result;
  if (!Number.isFinite(loss)) throw diverged(`The loss is ${loss} at step ${position.step + 1}`);
  passStep(position, index, loss, labels.length);
  loop.throughput.stepDone(labels.length);
  // A finite loss can have gradients beyond float32's range.
  const norm = Number.isFinite(gradientNorm) ? { gradientNorm } : {};
  const epoch = epochNow(loop);
  loop.emit({ event: 'step', step: position.step, epoch, loss, learningRate, ...norm, ...figures(loop) });
  return true;
}

/** Validates what the epoch came to. */
async function endEpoch(loop: Loop): Promise<void> {
  if (loop.position.step === 0) {
    throw userError(
      'No image of the train split could be decoded: look at the list of undecodable files and replace them.',
    );
  }
  await validateAndSave(loop, true);
}

/** Whether the present step, in the middle of an epoch, is to be validated and has not been. */
function validationIsDue({ config, position, stepsPerEpoch }: Loop): boolean {
  return (
    position.step % config.validateEvery === 0 && position.batchInEpoch < stepsPerEpoch && position.trainLoss.images > 0
  );
}

/** Where a stop breaks it off, the position still is that before the validation, which a resume makes up for. */
async function validateAndSave(loop: Loop, endOfEpoch: boolean): Promise<void> {
  const { position, stepper, control, throughput, emit } = loop;
  const began = performance.now();
  const validation = await stepper.lend('weights', (state) => loop.validate(usedWeights(state), control.signal));
  const { metrics, pinned, measuredOn, preparing } = validation;
  throughput.validationDone((performance.now() - began) / 1000, preparing);
  if (!Number.isFinite(metrics.loss)) {
    throw diverged(`The validation loss is ${metrics.loss} after step ${position.step}`);
  }
  const message = measureOn(position, measuredOn);
  if (message !== undefined) emit({ event: 'log', level: 'warning', message });
  const { better, trainLoss } = passValidation(position, metrics, endOfEpoch);
  emit({
    event: 'validation',
    step: position.step,
    epoch: epochNow(loop),
    trainLoss: trainLoss ?? 0,
    validLoss: metrics.loss,
    validAccuracy: metrics.accuracy,
    validTop5: metrics.top5,
    ...figures(loop),
  });
  if (pinned.length > 0) emit({ event: 'pinned', step: position.step, predictions: [...pinned] });
  // What a crash keeps from being `best` too, a resume makes good from `last`.
  const kinds: CheckpointKind[] = better ? ['last', 'best'] : ['last'];
  if (endOfEpoch && loop.config.keepEpochs) kinds.push('epoch');
  loop.validated = { step: position.step, metrics, trainLoss };
  await save(loop, kinds);
  await loop.record(progress(loop));
  throughput.begin();
}

async function pauseIfAsked(loop: Loop): Promise<void> {
  const { control, emit } = loop;
  if (!control.paused) return;
  emit({ event: 'state', state: 'paused' });
  await save(loop, ['last']);
  await loop.record({ state: 'paused', ...progress(loop) });
  await whenNotPaused(control);
  if (control.signal.aborted) return;
  emit({ event: 'state', state: 'running' });
  await loop.record({ state: 'running' });
  loop.throughput.begin();
}

async function stop(loop: Loop): Promise<LoopResult> {
  const { position } = loop;
  if (loop.told !== 'stop') loop.emit({ event: 'state', state: 'stopping' });
  await loop.record({ state: 'stopping', ...progress(loop) });
  if (loop.savedStep !== position.step) await save(loop, ['last']);
  return { state: 'stopped', reason: `Stopped after step ${position.step} of ${loop.totalSteps}.`, position };
}

/** Saves what was learned since the last checkpoint, if it can still be had; the failure itself is told elsewhere. */
async function rescue(loop: Loop): Promise<void> {
  if (loop.position.step === (loop.savedStep ?? loop.start.step)) return;
  const saved = save(loop, ['last']).then(() => loop.record(progress(loop)));
  await saved.catch(() => undefined);
}

async function save(loop: Loop, kinds: readonly CheckpointKind[]): Promise<void> {
  const { position, validated, emit } = loop;
  const { step } = position;
  const atThisStep = validated?.step === step ? validated : undefined;
  await loop.save(() =>
    loop.stepper.lend('all', async (training) => {
      const moment = checkpointMoment(loop, training, position, epochNow(loop), atThisStep);
      const accuracy = atThisStep ? { validAccuracy: atThisStep.metrics.accuracy } : {};
      await saveCheckpoints(loop.checkpoints, kinds, loop.facts, moment, (kind, path) => {
        emit({ event: 'checkpoint', step, epoch: moment.epoch, kind, path, ...accuracy });
      });
    }),
  );
  loop.savedStep = step;
}

function epochNow({ position, stepsPerEpoch }: Loop): number {
  return epochAt(position, stepsPerEpoch);
}

function progress(loop: Loop): Partial<RunRecord> {
  const { position, totalSteps, stepsPerEpoch } = loop;
  return {
    progress: { step: position.step, totalSteps, epoch: epochNow(loop), stepsPerEpoch },
    ...(position.best ? { best: position.best } : {}),
  };
}

/** Speed, time left and memory, as events tell them. */
function figures(loop: Loop) {
  const { config, position, stepsPerEpoch, throughput } = loop;
  const stepsLeft = Math.max(0, Math.round((config.epochs - epochNow(loop)) * stepsPerEpoch));
  const validations = validationsLeft(position, stepsLeft, { ...config, stepsPerEpoch });
  const secondsLeft = throughput.secondsLeft(stepsLeft, validations);
  return {
    imagesPerSecond: throughput.imagesPerSecond(),
    ...(secondsLeft === undefined ? {} : { secondsLeft }),
    memoryBytes: process.memoryUsage.rss(),
    device: loop.device,
  };
}
