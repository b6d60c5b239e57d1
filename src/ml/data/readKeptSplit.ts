import type { RunSplit } from '../../protocol/runSplit.ts';
import { readCheckpointMetadata } from '../../runs/checkpointHeader.ts';
import { runOfCheckpoint } from '../../runs/list.ts';
import { readRunSplit } from '../../runs/split.ts';
import { keptFromHeader, keptFromRun, type KeptSplit } from './keptSplit.ts';

export interface SplitOfCheckpoint {
  readonly split: KeptSplit;
  /** With the paths of its images, where the checkpoint lies in the folder of its run. */
  readonly whole?: RunSplit;
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
  // The header's knowledge is enough where the folder's is damaged.
  const whole = run === undefined ? undefined : await readRunSplit(run).catch((error: unknown) => {
    if (own) return undefined;
    throw error;
  }); // prettier-ignore
  const split = whole && keptFromRun(whole);
  if (whole && split?.id === header.id) return { split, whole };
  return own && { split: own };
}
