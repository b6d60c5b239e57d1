import { basename, dirname, resolve } from 'node:path';
import { usageError, userError } from '../../protocol/errors.ts';
import { withRecipe } from '../../protocol/recipes.ts';
import { givenConfigSchema, type GivenConfig, type TrainingConfigInput } from '../../protocol/trainingConfig.ts';
import type { TrainingEvent } from '../../protocol/trainingEvents.ts';
import { runOf } from '../../runs/list.ts';
import { readRunRecord } from '../../runs/record.ts';
import { chooseTrainingEngine } from '../engine/chooseTrainingEngine.ts';
import { trainRun } from '../training/run/trainRun.ts';

/** The settings of a training, as in a `*.fivecrop.json` file; those that are left out have the defaults of `fivecrop train`. */
export type TrainingSettings = Omit<TrainingConfigInput, '$schema' | 'version' | 'data'>;

export interface TrainOptions {
  /** Folder in which the run’s own folder is made; `runs` without it. */
  readonly out?: string;
  /** Name of the run and of its folder; `<network>-<method>` without it. A name that is taken gets a counter. */
  readonly name?: string;
  /** Sees every event, as `fivecrop train --json` prints them, after it lies in the run’s folder. */
  readonly onEvent?: (event: TrainingEvent) => void;
  /** Progress of what happens before the first step: downloads and the reading of the data. */
  readonly onProgress?: (progress: { what: string; done: number; total: number | undefined }) => void;
  /** An abort is a stop: the step is finished and saved, and the run can be resumed. */
  readonly signal?: AbortSignal;
}

/** A run that has ended. */
export interface TrainedRun {
  /** Absolute. */
  readonly folder: string;
  readonly name: string;
  /** `finished` after all epochs or an early stop; `stopped` on request. */
  readonly state: 'finished' | 'stopped';
  /** Why it ended, in a sentence. */
  readonly reason: string;
  /** Steps that it took, those before a resume included. */
  readonly steps: number;
  /** Share of the validation images, 0 to 1, at the best checkpoint. */
  readonly bestAccuracy: number | undefined;
  /** Paths of the checkpoints; undefined where none was written. */
  readonly best: string | undefined;
  readonly last: string | undefined;
}

/**
 * Trains a classifier on a folder of images (`train|valid/<class>/…`, or `<class>/…`, which is then split), and writes the
 * run’s folder. Throws a `UserError` for wrong settings and where data, weights, machine or disk are in the way; what was
 * saved until then stays. It computes in this process: `trainClassifier` keeps all cores busy until it ends.
 */
export async function trainClassifier(
  data: string,
  settings: TrainingSettings,
  options: TrainOptions = {},
): Promise<TrainedRun> {
  return train(configOf({ ...settings, data: resolve(data) }), options);
}

/**
 * Continues a run in its own folder, with its settings but for `changes`, such as more `epochs`. Given a `name` or `out`,
 * it begins a new run from the run’s or the checkpoint’s weights there. Throws as `trainClassifier` does.
 */
export async function resumeTraining(
  from: string,
  changes: Partial<TrainingSettings> = {},
  options: TrainOptions = {},
): Promise<TrainedRun> {
  const run = await runOf(from);
  if (run === undefined)
    throw userError(`${from} is neither a run nor a checkpoint in one, so its settings are unknown.`);
  const { config } = await readRunRecord(run);
  const out = options.out ?? dirname(run);
  return train(configOf({ ...config, ...changes }), { ...options, out }, resolve(from));
}

async function train(
  config: GivenConfig,
  { out = 'runs', name, onEvent, onProgress, signal }: TrainOptions,
  resume?: string,
): Promise<TrainedRun> {
  if (name !== undefined && (name === '' || name !== basename(name))) {
    throw usageError(`${name}: a run’s name is the name of a folder, without slashes; choose its place with out.`);
  }
  const { folder, done, ...result } = await trainRun(config, {
    out: resolve(out),
    chooseEngine: chooseTrainingEngine,
    ...(name === undefined ? {} : { name }),
    ...(resume === undefined ? {} : { resume }),
    ...(onEvent ? { onEvent } : {}),
    ...(onProgress ? { onProgress } : {}),
    ...(signal ? { signal } : {}),
  });
  if (done.state === 'failed') throw userError(done.reason);
  const { state, reason, step, bestAccuracy, best, last } = done;
  const path = (file: string | undefined) => (file === undefined ? undefined : resolve(folder, file));
  return { folder, name: result.name, state, reason, steps: step, bestAccuracy, best: path(best), last: path(last) };
}

function configOf(settings: unknown): GivenConfig {
  const parsed = givenConfigSchema.safeParse(withRecipe(settings));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue && issue.path.length > 0 ? issue.path.join('.') : 'the settings';
  throw usageError(`${where}: ${issue?.message ?? 'is wrong'}.`);
}
