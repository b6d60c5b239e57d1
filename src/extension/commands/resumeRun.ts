import { dirname } from 'node:path';
import * as l10n from '@vscode/l10n';
import { userError } from '../../protocol/errors.ts';
import type { Parts } from '../parts.ts';
import { isLive } from '../../runs/state.ts';
import { savedCheckpoint } from '../../runs/checkpointFiles.ts';
import { withoutPretrained } from './neededWeights.ts';
import { obtainWeights } from './obtainWeights.ts';

type ResumeParts = Pick<Parts, 'runs' | 'trainers' | 'service'>;

/** Whether a run has a checkpoint to go on from, or is live; without one it begins again and needs its pretrained weights. */
function goesOn({ runs }: ResumeParts, folder: string): boolean {
  const run = runs.get(folder);
  return run === undefined || isLive(run.state) || savedCheckpoint(folder) !== undefined;
}

/**
 * Has what a run needs to go on or to begin again, and returns what resumes it as `Trainers.resume` does. If its pretrained
 * weights cannot be had and the user trains without them, that is another run. Throws a cancellation.
 */
export async function prepareResume(parts: ResumeParts, folder: string): Promise<() => Promise<string>> {
  const { runs, trainers, service } = parts;
  const config = goesOn(parts, folder) ? undefined : runs.get(folder)?.record.config;
  const found = config && (await obtainWeights({ service }, config));
  if (found === undefined || found === config) return () => trainers.resume(folder);
  return () => trainers.start({ config: found, out: dirname(folder) });
}

/** Resumes a run as `prepareResume` says, and returns its folder. */
export async function resumeRun(parts: ResumeParts, folder: string): Promise<string> {
  return (await prepareResume(parts, folder))();
}

/** Starts a new run with the settings of another one, but from random weights, and returns its folder. */
export async function trainWithout(
  { runs, trainers }: Pick<Parts, 'runs' | 'trainers'>,
  folder: string,
): Promise<string> {
  const run = runs.get(folder);
  if (run === undefined)
    throw userError(l10n.t('There is no run in {0} any more; refresh the list of checkpoints.', folder));
  return trainers.start({ config: withoutPretrained(run.record.config), out: dirname(folder) });
}
