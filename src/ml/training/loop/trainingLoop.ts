import process from 'node:process';
import { CancelledError, userError } from '../../../protocol/errors.ts';
import type { ResumeState } from '../../../protocol/resumeState.ts';
import type { RunRecord } from '../../../protocol/runRecord.ts';
import type { TrainingConfig } from '../../../protocol/trainingConfig.ts';
import type { TrainingEvent } from '../../../protocol/trainingEvents.ts';
import { type CheckpointKind } from '../../../runs/checkpointFiles.ts';
import type { StateDict } from '../../graph/tensor.ts';
import { hearRequests, type TrainingControl, whenNotPaused } from '../run/control.ts';
import { afterEpoch, earlyStopStart, type EarlyStopState, shouldStop } from './earlyStop.ts';
import type { Metrics } from './metrics.ts';
import type { ReadyBatch, ReadyBatches } from '../features/readyBatches.ts';
import { diverged, isDiverged, type RunFacts, saveCheckpoints } from '../run/saver.ts';
import { learningRateAt, type ScheduleOptions } from './schedule.ts';
import type { Stepper } from './stepper.ts';
import { createThroughput } from './throughput.ts';
import type { MeasuredOn, Validation } from './validator.ts';

/** An event before it has its time. */
export type TimelessEvent = TrainingEvent extends infer Event
  ? Event extends TrainingEvent
    ? Omit<Event, 'time'>
    : never
  : never;

/** A place in a run, and what has been gathered on the way there; all that a resume needs besides weights. */
export interface Position {
  /** Optimizer steps taken. */
  step: number;
  /** Whole epochs done. */
  epoch: number;
  /** Batches of the present epoch that have been trained on. */
  batchInEpoch: number;
  trainLoss: { sum: number; images: number };
  earlyStop: EarlyStopState;
  best: NonNullable<RunRecord['best']> | undefined;
  /** The validation images that `best` and `earlyStop` are of. */
  measuredOn: MeasuredOn | undefined;
}

export interface LoopOptions {
  readonly config: TrainingConfig;
  readonly run: string;
  /** Folder of the checkpoints. */
  readonly checkpoints: string;
  readonly facts: RunFacts;
  readonly device: string;
  readonly stepsPerEpoch: number;
  readonly batches: ReadyBatches;
  readonly stepper: Stepper;
  /** Undefined where `stopped` came true on the way. */
  readonly validate: (state: StateDict, stopped: () => boolean) => Promise<Validation | undefined>;
  /** Runs what writes checkpoints; who measures it wraps it. */
  readonly save: <Result>(work: () => Promise<Result>) => Promise<Result>;
  readonly control: TrainingControl;
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
 * early on request, after the step, with everything saved. Throws a user error where the numbers run away or the disk
 * refuses; what was learned since the last checkpoint is saved first where it is of any use.
 */
export async function trainingLoop(options: LoopOptions): Promise<LoopResult> {
  const loop = createLoop(options);
  try {
    return await loop.run();
  } catch (error) {
    // What computes ahead of the loop has heard of the stop first.
    if (error instanceof CancelledError && options.control.stopped) return loop.stop();
    if (!isDiverged(error)) await loop.rescue();
    throw error;
  }
}

function createLoop(options: LoopOptions) {
  const { config, stepsPerEpoch, stepper, control, emit } = options;
  const { validateEvery, epochs } = config;
  const position: Position = { ...options.start, trainLoss: { ...options.start.trainLoss } };
  const totalSteps = stepsPerEpoch * epochs;
  const schedule: ScheduleOptions = { ...config, stepsPerEpoch, totalSteps };
  const throughput = createThroughput();
  let savedStep: number | undefined;
  /** Figures of the last validation, for all that is saved at its step. */
  let validated: { step: number; metrics: Metrics; trainLoss: number | undefined } | undefined;

  const epochNow = () => position.epoch + position.batchInEpoch / stepsPerEpoch;

  const figures = () => {
    const stepsLeft = Math.max(0, Math.round((epochs - epochNow()) * stepsPerEpoch));
    const secondsLeft = throughput.secondsLeft(stepsLeft, validationsLeft(position, stepsLeft, options));
    return {
      imagesPerSecond: throughput.imagesPerSecond(),
      ...(secondsLeft === undefined ? {} : { secondsLeft }),
      memoryBytes: process.memoryUsage.rss(),
      device: options.device,
    };
  };

  const save = (...what: Parameters<typeof write>) => options.save(() => write(...what));

  const write = async (kinds: readonly CheckpointKind[]) => {
    const { metrics, trainLoss } = validated?.step === position.step ? validated : {};
    const training = await stepper.snapshot();
    const resume: Omit<ResumeState, 'version'> = {
      run: options.run,
      config,
      step: position.step,
      epoch: position.epoch,
      batchInEpoch: position.batchInEpoch,
      microBatchSize: stepper.microBatchSize,
      trainLoss: { ...position.trainLoss },
      earlyStop: {
        epochsWithoutBetter: position.earlyStop.epochsWithoutBetter,
        ...(position.earlyStop.bestLoss === undefined ? {} : { bestLoss: position.earlyStop.bestLoss }),
      },
      ...(position.best ? { best: position.best } : {}),
      ...(position.measuredOn ? { measuredOn: position.measuredOn } : {}),
    };
    const moment = {
      training,
      resume,
      epoch: epochNow(),
      metrics: metrics
        ? {
            ...(trainLoss === undefined ? {} : { trainLoss }),
            validLoss: metrics.loss,
            validAccuracy: metrics.accuracy,
            validTop5: metrics.top5,
          }
        : {},
    };
    const accuracy = metrics ? { validAccuracy: metrics.accuracy } : {};
    await saveCheckpoints(options.checkpoints, kinds, options.facts, moment, (kind, path) => {
      emit({ event: 'checkpoint', step: position.step, epoch: moment.epoch, kind, path, ...accuracy });
    });
    savedStep = position.step;
  };

  const progress = (): Partial<RunRecord> => ({
    progress: { step: position.step, totalSteps, epoch: epochNow(), stepsPerEpoch },
    ...(position.best ? { best: position.best } : {}),
  });

  /** What was the best on other images, before a resume, is nothing to compare with. */
  const measureOn = (now: MeasuredOn) => {
    const { measuredOn: before, best } = position;
    position.measuredOn = now;
    if (!before || before.digest === now.digest) return;
    position.best = undefined;
    position.earlyStop = earlyStopStart;
    const what = best ? ` The best so far, ${best.validAccuracy.toFixed(4)} after step ${best.step}, is of those.` : '';
    const message = `The ${now.images} validation images are not the ${before.images} from before the resume, so the search for the best checkpoint starts over.${what}`;
    emit({ event: 'log', level: 'warning', message });
  };

  /** False where a stop came first: the position then still is that before the validation, which a resume makes up for. */
  const validateAndSave = async (endOfEpoch: boolean): Promise<boolean> => {
    const began = performance.now();
    const validation = await options.validate((await stepper.snapshot()).state, () => control.stopped);
    if (!validation) return false;
    const { metrics, pinned, measuredOn, preparing } = validation;
    throughput.validationDone((performance.now() - began) / 1000, preparing);
    if (!Number.isFinite(metrics.loss)) {
      throw diverged(`The validation loss is ${metrics.loss} after step ${position.step}`);
    }
    measureOn(measuredOn);
    const { sum, images } = position.trainLoss;
    const trainLoss = images === 0 ? undefined : sum / images;
    position.trainLoss = { sum: 0, images: 0 };
    if (endOfEpoch) {
      position.epoch++;
      position.batchInEpoch = 0;
      position.earlyStop = afterEpoch(position.earlyStop, metrics.loss);
    }
    const better = isBetter(metrics, position.best);
    if (better) position.best = { step: position.step, validLoss: metrics.loss, validAccuracy: metrics.accuracy };
    emit({
      event: 'validation',
      step: position.step,
      epoch: epochNow(),
      trainLoss: trainLoss ?? 0,
      validLoss: metrics.loss,
      validAccuracy: metrics.accuracy,
      validTop5: metrics.top5,
      ...figures(),
    });
    if (pinned.length > 0) emit({ event: 'pinned', step: position.step, predictions: [...pinned] });
    // What a crash keeps from being `best` too, a resume makes good from `last`.
    const kinds: CheckpointKind[] = better ? ['last', 'best'] : ['last'];
    if (endOfEpoch && config.keepEpochs) kinds.push('epoch');
    validated = { step: position.step, metrics, trainLoss };
    await save(kinds);
    await options.record(progress());
    throughput.begin();
    return true;
  };

  /** Whether the present step, in the middle of an epoch, is to be validated and has not been. */
  const validationIsDue = () =>
    position.step % validateEvery === 0 && position.batchInEpoch < stepsPerEpoch && position.trainLoss.images > 0;

  const takeStep = async ({ index, feeds, labels }: ReadyBatch) => {
    const learningRate = learningRateAt(position.step, schedule);
    const { loss } = await stepper.take(feeds, labels, learningRate);
    if (!Number.isFinite(loss)) throw diverged(`The loss is ${loss} at step ${position.step + 1}`);
    position.step++;
    position.batchInEpoch = index + 1;
    position.trainLoss.sum += loss * labels.length;
    position.trainLoss.images += labels.length;
    throughput.stepDone(labels.length);
    emit({ event: 'step', step: position.step, epoch: epochNow(), loss, learningRate, ...figures() });
  };

  const pauseIfAsked = async () => {
    if (!control.paused) return;
    emit({ event: 'state', state: 'paused' });
    await save(['last']);
    await options.record({ state: 'paused', ...progress() });
    await whenNotPaused(control);
    if (control.stopped) return;
    emit({ event: 'state', state: 'running' });
    await options.record({ state: 'running' });
    throughput.begin();
  };

  /** Trains to the end of the present epoch; false where a stop came first. */
  const trainEpoch = async (): Promise<boolean> => {
    throughput.begin();
    if (validationIsDue() && !(await validateAndSave(false))) return false;
    for await (const batch of options.batches(position.epoch, position.batchInEpoch)) {
      await hearRequests();
      await pauseIfAsked();
      if (control.stopped) return false;
      await takeStep(batch);
      if (validationIsDue() && !(await validateAndSave(false))) return false;
    }
    return true;
  };

  /** Validates what the epoch came to; false where a stop came first. */
  const endEpoch = async (): Promise<boolean> => {
    if (position.step === 0) {
      throw userError(
        'No image of the train split could be decoded: look at the list of undecodable files and replace them.',
      );
    }
    return validateAndSave(true);
  };

  const stop = async (): Promise<LoopResult> => {
    emit({ event: 'state', state: 'stopping' });
    await options.record({ state: 'stopping', ...progress() });
    if (savedStep !== position.step) await save(['last']);
    const reason = `Stopped after step ${position.step} of ${totalSteps}.`;
    return { state: 'stopped', reason, position };
  };

  const run = async (): Promise<LoopResult> => {
    while (position.epoch < epochs) {
      if (shouldStop(position.earlyStop, config.earlyStop)) {
        const count = position.earlyStop.epochsWithoutBetter;
        const reason = `The validation loss did not improve for ${count} ${count === 1 ? 'epoch' : 'epochs'}, so the run stopped early.`;
        return { state: 'finished', reason, position };
      }
      if (control.stopped || !(await trainEpoch()) || !(await endEpoch())) return stop();
    }
    return {
      state: 'finished',
      reason: epochs === 1 ? 'The one epoch is done.' : `All ${epochs} epochs are done.`,
      position,
    };
  };

  /** Saves what was learned since the last checkpoint, if it can still be had; the failure itself is told elsewhere. */
  const rescue = async () => {
    if (position.step === (savedStep ?? options.start.step)) return;
    const saved = save(['last']).then(() => options.record(progress()));
    await saved.catch(() => undefined);
  };

  return { run, stop, rescue };
}

/** Validations of the steps that are left: one at each epoch's end, and those in between. */
function validationsLeft({ step, epoch }: Position, stepsLeft: number, { config, stepsPerEpoch }: LoopOptions): number {
  const multiples = (steps: number) => Math.floor((step + stepsLeft) / steps) - Math.floor(step / steps);
  const { epochs, validateEvery } = config;
  const inBetween = Math.max(
    0,
    multiples(validateEvery) - multiples(leastCommonMultiple(validateEvery, stepsPerEpoch)),
  );
  return epochs - epoch + inBetween;
}

function leastCommonMultiple(a: number, b: number): number {
  const divisor = (x: number, y: number): number => (y === 0 ? x : divisor(y, x % y));
  return (a / divisor(a, b)) * b;
}

function isBetter(metrics: Metrics, best: Position['best']): boolean {
  if (!best || metrics.accuracy > best.validAccuracy) return true;
  return metrics.accuracy === best.validAccuracy && metrics.loss < best.validLoss;
}
