import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import * as z from 'zod';
import {
  type CheckpointMetadata,
  checkpointMetadataSchema,
  checkpointVersion,
} from '../../protocol/checkpointMetadata.ts';
import { userError } from '../../protocol/errors.ts';
import { type ResumeState, resumeStateSchema, resumeStateVersion } from '../../protocol/resumeState.ts';
import type { StateDict } from '../graph/tensor.ts';
import { readSafetensors, readSafetensorsMetadata, safetensorsFile, type SafetensorsMetadata } from './safetensors.ts';
import { writeAtomically } from './writeAtomically.ts';

const checkpointKey = 'fivecrop';
const resumeKey = 'resume';
const extension = '.safetensors';

/** Only the version: enough to tell a file of a newer Fivecrop, whose other fields may be unknown here. */
const versionSchema = z.object({ version: z.number().int() });

export interface Checkpoint {
  readonly state: StateDict;
  readonly metadata: CheckpointMetadata;
}

/** Where training goes on from: the optimizer's moments by name, as torch names them, and the place in the run. */
export interface ResumePoint {
  readonly optimizer: StateDict;
  readonly resume: ResumeState;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The JSON under one key of a file's metadata, validated; every refusal is a user error that names the file. */
function metadataUnder<Value>(
  path: string,
  metadata: SafetensorsMetadata,
  format: { key: string; version: number; schema: z.ZodType<Value>; isNone: string },
): Value {
  const text = Object.hasOwn(metadata, format.key) ? metadata[format.key] : undefined;
  if (text === undefined) throw userError(`${path} ${format.isNone}`);
  const json = parseJson(text);
  const version = versionSchema.safeParse(json).data?.version;
  if (version !== undefined && version > format.version) {
    throw userError(
      `${path} was written by a newer Fivecrop (format version ${version}; this one reads ${format.version}): update Fivecrop to use it.`,
    );
  }
  const parsed = format.schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue ? ` (${issue.path.join('.') || 'as a whole'}: ${issue.message})` : '';
  throw userError(
    `The metadata \`${format.key}\` of ${path} is damaged${where}: use another checkpoint, or train again.`,
  );
}

function checkpointMetadataOf(path: string, metadata: SafetensorsMetadata): CheckpointMetadata {
  return metadataUnder(path, metadata, {
    key: checkpointKey,
    version: checkpointVersion,
    schema: checkpointMetadataSchema,
    isNone:
      'holds weights but is no checkpoint of Fivecrop: give it as `--weights` together with `--arch`, or choose another file.',
  });
}

/** The file beside a checkpoint that holds what a resume needs: `last.safetensors` -> `last.resume.safetensors`. */
export function resumePath(checkpointPath: string): string {
  const stem = checkpointPath.endsWith(extension) ? checkpointPath.slice(0, -extension.length) : checkpointPath;
  return `${stem}.resume${extension}`;
}

/**
 * Writes a checkpoint, and beside it the file for a resume where `resumePoint` is given. Both are written and flushed
 * under temporary names before the first rename. Throws a user error where the disk refuses.
 */
export async function writeCheckpoint(
  path: string,
  state: StateDict,
  metadata: CheckpointMetadata,
  resumePoint?: ResumePoint,
): Promise<void> {
  // `format` is what other readers of safetensors look for to know that names and layouts are torch's.
  const strings = { format: 'pt', [checkpointKey]: JSON.stringify(metadata) };
  const files = [safetensorsFile(path, state, strings)];
  if (resumePoint) {
    const resume = { [resumeKey]: JSON.stringify(resumePoint.resume) };
    files.unshift(safetensorsFile(resumePath(path), resumePoint.optimizer, resume));
  }
  await writeAtomically(files);
}

/** Gives a checkpoint and what its resume needs a second name, as safely as it was written and at next to no cost. */
export async function repeatCheckpoint(path: string, written: string): Promise<void> {
  await writeAtomically([
    { path: resumePath(path), sameAs: resumePath(written) },
    { path, sameAs: written },
  ]);
}

/** A checkpoint with its weights. Throws a user error for files that are damaged, newer, or not ours. */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const { state, metadata } = await readSafetensors(path);
  return { state, metadata: checkpointMetadataOf(path, metadata) };
}

/** What a checkpoint says of itself; only the header is read. Throws as `readCheckpoint` does. */
export async function readCheckpointMetadata(path: string): Promise<CheckpointMetadata> {
  return checkpointMetadataOf(path, await readSafetensorsMetadata(path));
}

/**
 * What a resume from this checkpoint needs, read from the file beside it. Throws a user error where that file is missing
 * or does not belong to the checkpoint (the process ended between the two renames).
 */
export async function readResumePoint(checkpointPath: string): Promise<ResumePoint> {
  const path = resumePath(checkpointPath);
  if (!existsSync(path)) {
    throw userError(
      `${resolve(checkpointPath)} cannot be resumed because ${basename(path)} is not beside it: put that file back, or train with other weights.`,
    );
  }
  const { state, metadata } = await readSafetensors(path);
  const resume = metadataUnder(path, metadata, {
    key: resumeKey,
    version: resumeStateVersion,
    schema: resumeStateSchema,
    isNone: 'holds no state of a training run: choose another checkpoint.',
  });
  const { training } = await readCheckpointMetadata(checkpointPath);
  if (training.step !== resume.step) {
    throw userError(
      `${checkpointPath} (step ${training.step}) and ${basename(path)} (step ${resume.step}) do not belong together: resume from another checkpoint of the run.`,
    );
  }
  return { optimizer: state, resume };
}
