import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runFiles } from '../../protocol/runRecord.ts';

/** Whether a run has saved a checkpoint that it can go on from. Without one, a resume begins it again. */
export function hasCheckpoint(folder: string): boolean {
  return [runFiles.last, runFiles.best].some((file) => existsSync(join(folder, runFiles.checkpoints, file)));
}
