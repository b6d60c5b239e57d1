import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CheckpointMetadata } from '../protocol/checkpointMetadata.ts';
import { runFiles } from '../protocol/runRecord.ts';
import type { TrainingEventOf } from '../protocol/trainingEvents.ts';
import { readCheckpointMetadata } from './checkpointHeader.ts';

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
/** Headers that are read at the same time. */
const concurrency = 16;

/** Where a checkpoint of a kind lies in the folder `checkpoints`. */
export function checkpointPath(folder: string, kind: CheckpointKind, epoch: number): string {
  if (kind === 'best') return join(folder, runFiles.best);
  if (kind === 'last') return join(folder, runFiles.last);
  return join(folder, `epoch-${String(Math.round(epoch)).padStart(3, '0')}${ending}`);
}

/** The file beside a checkpoint that holds what a resume needs: `last.safetensors` -> `last.resume.safetensors`. */
export function resumePath(checkpoint: string): string {
  const stem = checkpoint.endsWith(ending) ? checkpoint.slice(0, -ending.length) : checkpoint;
  return `${stem}.resume${ending}`;
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
  return file.endsWith(ending) && !file.endsWith(`.resume${ending}`) && !file.startsWith('.');
}

function byRank(a: string, b: string): number {
  const rank = (file: string) => [runFiles.best, runFiles.last].findIndex((name) => name === file) >>> 0;
  return rank(a) - rank(b) || b.localeCompare(a, 'en', { numeric: true });
}
