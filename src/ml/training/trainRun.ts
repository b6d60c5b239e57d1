import type { TrainingConfig } from '../../protocol/trainingConfig.ts';
import type { TrainingEvent, TrainingEventOf } from '../../protocol/trainingEvents.ts';
import type { Engine } from '../engine/engine.ts';
import type { TrainingControl } from './control.ts';

/** An engine and the device on it that a run computes on; `fallbacks` are sentences about what could not be had. */
export interface ChosenEngine {
  readonly engine: Engine;
  readonly device: string;
  readonly fallbacks: readonly string[];
}

/** Chooses what computes, once, before anything is loaded. Throws a user error where what was asked for is not there. */
export type EngineChooser = (wish: {
  readonly engine: TrainingConfig['engine'];
  readonly device: TrainingConfig['device'];
  readonly log: (message: string) => void;
}) => Promise<ChosenEngine>;

export interface TrainRunOptions {
  /** Folder in which the run's own folder is made. */
  readonly out: string;
  /** Name of the run and of its folder; `<network>-<method>-<date>` without it. A name that is taken gets a counter. */
  readonly name?: string;
  /**
   * A checkpoint to go on from. The last one of a run goes on in that run's folder, unless `name` is given; any other
   * one begins a new folder, so that nothing is overwritten.
   */
  readonly resume?: string;
  readonly chooseEngine: EngineChooser;
  /** Sees every event after it lies in `metrics.jsonl`. */
  readonly onEvent?: (event: TrainingEvent) => void;
  /** Called once, as soon as the run's folder is there. */
  readonly onFolder?: (folder: string) => void;
  /** Pause, resume and stop; `createTrainingControl()` makes one. */
  readonly control?: TrainingControl;
  /** An abort is a stop: the step is finished and saved. */
  readonly signal?: AbortSignal;
  /** Where the process that trains can be reached, for the run's record. */
  readonly socket?: string;
  /** Where pretrained weights are kept and fetched from; the weights room's defaults without it. */
  readonly weights?: { readonly folder?: string; readonly mirror?: string };
  /** Progress of what happens before the first step: downloads and the reading of the data. */
  readonly onProgress?: (progress: {
    readonly what: string;
    readonly done: number;
    readonly total: number | undefined;
  }) => void;
}

export interface TrainRunResult {
  /** The run's folder, absolute. */
  readonly folder: string;
  readonly name: string;
  readonly done: TrainingEventOf<'done'>;
}

/**
 * Trains a classifier as `config` says and writes the run's folder. Ends with `done.state` `finished` (all epochs, or
 * early stop) or `stopped` (on request). Throws a `UserError` where data, weights, network, machine or disk are in the
 * way; the run's record then says `failed` with the same sentence, and the checkpoints written so far stay.
 */
export function trainRun(config: TrainingConfig, options: TrainRunOptions): Promise<TrainRunResult> {
  return Promise.reject(new Error(`not yet: ${config.data} ${options.out}`));
}
