import { join } from 'node:path';
import { UserError } from '../../protocol/errors.ts';
import { runFiles } from '../../protocol/runRecord.ts';
import type { RunSplit } from '../../protocol/runSplit.ts';
import { readCheckpointMetadata } from '../../runs/checkpointHeader.ts';
import { runOfCheckpoint } from '../../runs/list.ts';
import { readRunSplit } from '../../runs/split.ts';
import { keptFromHeader, keptFromRun, type KeptSplit } from './keptSplit.ts';

export interface SplitOfCheckpoint {
  readonly split: KeptSplit;
  /** With the paths of its images, where the checkpoint lies in the folder of its run. */
  readonly whole?: RunSplit;
  /** Why the folder's was not taken, in sentences. */
  readonly notes: readonly string[];
}

/**
 * The split that the run of a checkpoint drew: from the run's folder, or from the checkpoint's own header where that lies
 * elsewhere; undefined where neither has it. Throws a user error for a checkpoint that is none.
 */
export async function readKeptSplit(checkpoint: string): Promise<SplitOfCheckpoint | undefined> {
  // A network of the report's script knows nothing of its images.
  if (/\.(pth|pt)$/i.test(checkpoint)) return undefined;
  const { split: header, training } = await readCheckpointMetadata(checkpoint);
  if (!header) return undefined;
  const run = await runOfCheckpoint(checkpoint);
  const own = keptFromHeader(header, training.data);
  if (run === undefined) return own && { split: own, notes: [] };
  const found = await splitInFolder(run, header.id).catch((error: unknown) => {
    // The header's knowledge is enough where the folder's is damaged.
    if (own && error instanceof UserError) return error.message;
    throw error;
  });
  if (typeof found !== 'string') return { ...found, notes: [] };
  return own && { split: own, notes: [`${found} The split that the checkpoint itself keeps is taken.`] };
}

/** What a run's folder keeps, or why that is not the split with an id. */
async function splitInFolder(run: string, id: string): Promise<Omit<SplitOfCheckpoint, 'notes'> | string> {
  const file = join(run, runFiles.split);
  const whole = await readRunSplit(run);
  if (whole === undefined) return `${file} is missing.`;
  const split = keptFromRun(whole);
  return split.id === id ? { split, whole } : `${file} is not of this checkpoint.`;
}
