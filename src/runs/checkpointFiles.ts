import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { type CheckpointMetadata, resumeFilePattern } from '../protocol/checkpointMetadata.ts';
import { seesWholeImage } from '../protocol/preprocessing.ts';
import { runFiles } from '../protocol/runRecord.ts';
import type { TrainingEventOf } from '../protocol/trainingEvents.ts';
import { metadataKeys, readCheckpointMetadata } from './checkpointHeader.ts';
import { readSafetensorsMetadata } from './safetensorsHeader.ts';

export type CheckpointKind = TrainingEventOf<'checkpoint'>['kind'];

/** A checkpoint of a run as lists show it. */
export interface RunCheckpoint {
  readonly path: string;
  /** `best`, `last`, `epoch-3`: the file's name without its ending. */
  readonly name: string;
  /** Undefined where the file cannot be understood. */
  readonly metadata: CheckpointMetadata | undefined;
}

const ending = '.safetensors';
const resumeNameSchema = z.object({ resume: z.string().regex(resumeFilePattern).optional() });
/** Headers that are read at the same time. */
const concurrency = 16;

/** Where a checkpoint of a kind lies in the folder `checkpoints`. */
export function checkpointPath(folder: string, kind: CheckpointKind, epoch: number): string {
  if (kind === 'best') return join(folder, runFiles.best);
  if (kind === 'last') return join(folder, runFiles.last);
  return join(folder, `epoch-${String(Math.round(epoch)).padStart(3, '0')}${ending}`);
}

/** A run's best checkpoint, else its last; undefined for a run that has saved none, so that a resume begins it again. */
export function savedCheckpoint(run: string): string | undefined {
  const paths = [runFiles.best, runFiles.last].map((file) => join(run, runFiles.checkpoints, file));
  return paths.find((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
}

/** A new name for the file that holds what a resume from `step` needs. */
export function newResumeFile(step: number): string {
  return `resume-${String(step).padStart(6, '0')}-${randomBytes(4).toString('hex')}${ending}`;
}

/** The file that holds what a resume from a checkpoint needs. */
export function resumePath(checkpoint: string, { resume }: Pick<CheckpointMetadata, 'resume'>): string {
  return resume === undefined ? formerResumePath(checkpoint) : join(dirname(checkpoint), resume);
}

/** Where earlier versions wrote it: `last.safetensors` -> `last.resume.safetensors`. */
function formerResumePath(checkpoint: string): string {
  return `${checkpoint.slice(0, -ending.length)}.resume${ending}`;
}

/** Removes the files for a resume that no checkpoint in `folder` names. */
export async function sweepResumeFiles(folder: string): Promise<void> {
  for (const file of await unnamedResumeFiles(folder)) await rm(join(folder, file), { force: true }).catch(() => undefined);
}

/**
 * The files for a resume that no checkpoint in `folder` names: those of checkpoints that were replaced or deleted or are not
 * written yet, and those that a crash left alone. None where a checkpoint cannot be read, since it may name any of them.
 */
export async function unnamedResumeFiles(folder: string): Promise<readonly string[]> {
  const files = await readdir(folder).catch((): string[] => []);
  const named = new Set<string>();
  for (const file of files.filter(isCheckpoint)) {
    const path = join(folder, file);
    const metadata = await resumeNameIn(path);
    if (metadata === undefined) return [];
    named.add(resumePath(path, metadata));
  }
  return files.filter((file) => isResumeFile(file) && !named.has(join(folder, file)));
}

/** Whether a checkpoint in `folder` names a file for its resume that is not there. */
export async function lacksResumeFile(folder: string): Promise<boolean> {
  const files = await readdir(folder).catch((): string[] => []);
  for (const file of files.filter(isCheckpoint)) {
    const named = await resumeNameIn(join(folder, file));
    if (named?.resume !== undefined && !files.includes(named.resume)) return true;
  }
  return false;
}

/** What a file says of its resume, whatever version wrote it; undefined where it cannot be read. */
async function resumeNameIn(path: string): Promise<Pick<CheckpointMetadata, 'resume'> | undefined> {
  const strings = await readSafetensorsMetadata(path).catch(() => undefined);
  if (strings === undefined) return undefined;
  const text = strings[metadataKeys.checkpoint];
  if (text === undefined) return {};
  try {
    return resumeNameSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Whether the network of a checkpoint sees whole images. No of a file that cannot be understood. */
export async function seesWholeImages(path: string): Promise<boolean> {
  return seesWholeImage((await checkpointMetadataIn(path))?.preprocessing.fit);
}

/** The checkpoints of a run: best, last, then epochs, the newest first. Of each file only the header is read. */
export async function listRunCheckpoints(folder: string): Promise<readonly RunCheckpoint[]> {
  const parent = join(folder, runFiles.checkpoints);
  const files = (await readdir(parent).catch((): string[] => [])).filter(isCheckpoint).sort(byRank);
  const read = async (file: string): Promise<RunCheckpoint> => {
    const path = join(parent, file);
    return { path, name: file.slice(0, -ending.length), metadata: await checkpointMetadataIn(path) };
  };
  const found: RunCheckpoint[] = [];
  for (let start = 0; start < files.length; start += concurrency) {
    found.push(...(await Promise.all(files.slice(start, start + concurrency).map(read))));
  }
  return found;
}

/** What a checkpoint says of itself; undefined where it says nothing usable. */
export function checkpointMetadataIn(path: string): Promise<CheckpointMetadata | undefined> {
  return readCheckpointMetadata(path).catch(() => undefined);
}

function isCheckpoint(file: string): boolean {
  return file.endsWith(ending) && !isResumeFile(file) && !file.startsWith('.');
}

function isResumeFile(file: string): boolean {
  return resumeFilePattern.test(file) || file.endsWith(`.resume${ending}`);
}

function byRank(a: string, b: string): number {
  const rank = (file: string) => [runFiles.best, runFiles.last].findIndex((name) => name === file) >>> 0;
  return rank(a) - rank(b) || b.localeCompare(a, 'en', { numeric: true });
}
