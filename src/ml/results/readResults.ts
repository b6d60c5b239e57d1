import { join } from 'node:path';
import { addEvent, emptyCurves, type RunCurves } from '../../charts/runCurves.ts';
import { userError } from '../../protocol/errors.ts';
import type { Evaluation } from '../../protocol/evaluation.ts';
import { runFiles } from '../../protocol/runRecord.ts';
import { readEvaluations, timeWritten } from '../../runs/evaluations.ts';
import { readEvents } from '../../runs/events.ts';
import { readStoredRun, runOf, type StoredRun } from '../../runs/list.ts';

/** A run with all that it has shown so far. */
export interface RunResults extends StoredRun {
  readonly curves: RunCurves;
  /** Most memory that the process which trained had at a step; 0 before the first. */
  readonly memoryBytes: number;
  /** What the run warned of, each sentence once, the last ones where there are many. */
  readonly warnings: readonly string[];
  /** Tests of the present best checkpoint, or of the last where there is no best, newest first. */
  readonly evaluations: readonly Evaluation[];
}

const mostWarnings = 50;

/**
 * The run that a path to its folder or to a checkpoint in it means. `onMisfit` hears of results that cannot be read. Throws
 * a user error where there is no run.
 */
export async function readResults(path: string, onMisfit: (reason: string) => void): Promise<RunResults> {
  const folder = await runOf(path);
  if (folder === undefined) throw userError(`${path} is not the folder of a run: fivecrop runs lists what there is.`);
  const stored = await readStoredRun(folder);
  const curves = emptyCurves();
  const warnings = new Set<string>();
  let memoryBytes = 0;
  for await (const { events } of readEvents(folder)) {
    for (const event of events) {
      addEvent(curves, event);
      if (event.event === 'step') memoryBytes = Math.max(memoryBytes, event.memoryBytes);
      if (event.event === 'log' && event.level !== 'info') warnings.add(event.message);
    }
  }
  const evaluations = await presentEvaluations(join(folder, runFiles.checkpoints), onMisfit);
  return { ...stored, curves, memoryBytes, warnings: [...warnings].slice(-mostWarnings), evaluations };
}

async function presentEvaluations(checkpoints: string, onMisfit: (reason: string) => void): Promise<Evaluation[]> {
  for (const name of [runFiles.best, runFiles.last]) {
    const checkpoint = join(checkpoints, name);
    const written = await timeWritten(checkpoint);
    if (written === undefined) continue;
    return (await readEvaluations(checkpoint, onMisfit)).filter(({ time }) => time >= written);
  }
  return [];
}
