import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { CheckpointMetadata } from '../../protocol/checkpointMetadata.ts';
import type { ConfidenceCalibration } from '../../protocol/confidenceCalibration.ts';
import { userError } from '../../protocol/errors.ts';
import type { ResumeState } from '../../protocol/resumeState.ts';
import { runFiles } from '../../protocol/runRecord.ts';
import { newResumeFile, resumePath } from '../../runs/checkpointFiles.ts';
import {
  checkpointMetadataOf,
  metadataKeys,
  readCheckpointMetadata,
  resumeStateOf,
} from '../../runs/checkpointHeader.ts';
import { runOfCheckpoint } from '../../runs/list.ts';
import { tryLock } from '../../runs/lock.ts';
import type { StateDict } from '../graph/tensor.ts';
import { applyWeights, fittingNames, refuseInfinite, type TensorForms } from './applyWeights.ts';
import { changeSafetensorsMetadata, readSafetensors, writeSafetensors } from './safetensors.ts';
import { moduleOf, type StateShapes } from '../networks/stateShapes.ts';

export interface Checkpoint {
  readonly state: StateDict;
  readonly metadata: CheckpointMetadata;
}

/**
 * Where training goes on from: the optimizer's moments by name, as torch names them, and the place in the run. Where the
 * checkpoint's weights have adapters in them, `optimizer` holds these and the weights without them too.
 */
export interface ResumePoint {
  readonly optimizer: StateDict;
  readonly resume: ResumeState;
}

/**
 * Writes a checkpoint; where `resumePoint` is given, with what its resume needs in a file of its own, which is on the disk
 * before the checkpoint that names it appears: both are published by one rename. What the file for the resume of a
 * replaced checkpoint was is left for `sweepResumeFiles`. Throws a user error where the disk refuses.
 */
export async function writeCheckpoint(
  path: string,
  state: StateDict,
  metadata: CheckpointMetadata,
  resumePoint?: ResumePoint,
): Promise<void> {
  const resume = resumePoint === undefined ? undefined : await writeResumePoint(dirname(path), resumePoint);
  const complete: CheckpointMetadata = { ...metadata, ...(resume === undefined ? {} : { resume }) };
  // `format` is what other readers of safetensors look for to know that names and layouts are torch's.
  await writeSafetensors(path, state, { format: 'pt', [metadataKeys.checkpoint]: JSON.stringify(complete) });
}

/**
 * Writes what was fitted to a checkpoint's confidence into its header, in place of what was there before, or takes that
 * away; nothing else changes. The file must still be the checkpoint that `fitted` is the metadata of, and no process may be
 * training its run, which could write another one under the same name. Throws a user error where that is not so, and where
 * the disk refuses.
 */
export async function writeCalibration(
  path: string,
  fitted: CheckpointMetadata,
  calibration: ConfidenceCalibration | undefined,
): Promise<void> {
  const run = await runOfCheckpoint(path);
  const lock = run === undefined ? undefined : await tryLock(join(run, runFiles.lock));
  if (run !== undefined && lock === undefined) {
    throw userError(`${run} is being trained, and may replace this checkpoint: calibrate it when the run has ended.`);
  }
  try {
    await changeSafetensorsMetadata(path, (strings) => {
      const found = checkpointMetadataOf(path, strings);
      if (found.created !== fitted.created || found.training.step !== fitted.training.step) {
        throw userError(`${path} was replaced while its calibration was fitted: calibrate it again.`);
      }
      // JSON leaves out what is undefined.
      return { ...strings, [metadataKeys.checkpoint]: JSON.stringify({ ...found, calibration }) };
    });
  } finally {
    await lock?.release();
  }
}

/** Returns the name of the file. */
async function writeResumePoint(folder: string, { optimizer, resume }: ResumePoint): Promise<string> {
  const name = newResumeFile(resume.step);
  await writeSafetensors(join(folder, name), optimizer, { [metadataKeys.resume]: JSON.stringify(resume) });
  return name;
}

/** What a network needs, by what a checkpoint says of it. */
export type ShapesOf = (metadata: CheckpointMetadata) => StateShapes;

/**
 * A checkpoint with its weights: all, or where `shapesOf` is given, those that it says, which then are there, of these
 * shapes, and finite. Throws a user error for files that are damaged, newer, or not ours, and what `shapesOf` throws.
 */
export async function readCheckpoint(path: string, shapesOf?: ShapesOf): Promise<Checkpoint> {
  const options = { source: path, network: 'the network that it names' };
  let shapes: StateShapes | undefined;
  const { state, metadata } = await readSafetensors(path, (forms, strings) => {
    shapes = shapesOf?.(checkpointMetadataOf(path, strings));
    return shapes ? fittingNames(shapes, forms, options) : forms.keys();
  });
  return {
    state: shapes ? applyWeights(shapes, state, options) : state,
    metadata: checkpointMetadataOf(path, metadata),
  };
}

/**
 * What a resume from this checkpoint needs. Throws a user error where its file is missing, or does not belong to the
 * checkpoint, as an earlier version could leave it, and where its moments are not those of parameters of `checkpoint`,
 * where that was read before, or not finite.
 */
export async function readResumePoint(
  checkpointPath: string,
  checkpoint?: Checkpoint,
  partsOf?: PartsOf,
): Promise<ResumePoint> {
  const state = checkpoint?.state;
  const metadata = checkpoint?.metadata ?? (await readCheckpointMetadata(checkpointPath));
  const path = resumePath(checkpointPath, metadata);
  if (!existsSync(path)) {
    throw userError(
      `${resolve(checkpointPath)} cannot be resumed because ${basename(path)} is not beside it: put that file back, or train with other weights.`,
    );
  }
  const options = { source: path, network: `the weights of ${basename(checkpointPath)}` };
  const { state: optimizer, metadata: strings } = await readSafetensors(path, (forms, keys) => {
    if (!state) return forms.keys();
    const parts = partsOf?.(resumeStateOf(path, keys), state, forms.keys()) ?? new Map<string, readonly number[]>();
    const known = new Map([...[...state].map(([name, { shape }]) => [name, shape] as const), ...parts]);
    const shapes = new Map([...parts, ...momentShapes(known, forms)]);
    return fittingNames(shapes, forms, options);
  });
  for (const [name, moment] of optimizer) refuseInfinite(path, name, moment);
  const resume = resumeStateOf(path, strings);
  const { training } = metadata;
  if (training.step !== resume.step) {
    throw userError(
      `${checkpointPath} (step ${training.step}) and ${basename(path)} (step ${resume.step}) do not belong together: resume from another checkpoint of the run.`,
    );
  }
  return { optimizer, resume };
}

/** Shapes of what a checkpoint's weights were made of, among the names in the file beside it. */
export type PartsOf = (resume: ResumeState, state: StateDict, names: Iterable<string>) => StateShapes;

/** Moments are named after their parameters, and have their shapes: `fc.weight.exp_avg`. */
function momentShapes(known: StateShapes, forms: TensorForms): StateShapes {
  const shapes = new Map<string, readonly number[]>();
  for (const name of forms.keys()) {
    const shape = known.get(moduleOf(name));
    if (shape) shapes.set(name, shape);
  }
  return shapes;
}
