import { basename, dirname, join } from 'node:path';
import { userError } from '../../protocol/errors.ts';
import { sweepFiles } from '../../protocol/sweep.ts';
import { writeTextAtomically } from '../../runs/atomicFile.ts';
import { readStoredRun } from '../../runs/list.ts';
import { isUnfollowed } from '../../runs/state.ts';
import type { RunFailure } from '../submit/target.ts';
import type { TrialTraining } from './runSweep.ts';
import { trainToEnd } from './trainApart.ts';
import { whenNotTrained } from './whenNotTrained.ts';

/** Exit code of a process that was told a wrong setting. */
const usageExitCode = 2;

/**
 * Trains the run of a trial here, in a process of its own, on a card where one is named, after another process that still
 * does. What it says is in its run: several that train at once would talk across each other.
 */
export async function trainTrial(
  training: TrialTraining,
  { say, signal }: { readonly say: (line: string) => void; readonly signal: AbortSignal },
  card?: string,
): Promise<RunFailure | undefined> {
  if (training.resumes) await refuseUnfollowed(training.folder);
  if (training.resumes && (await whenNotTrained(training.folder, { say, signal })) === 'finished') return undefined;
  const environment = card === undefined ? {} : { CUDA_VISIBLE_DEVICES: card };
  const args = [...(await trialArguments(training)), ...(card === undefined ? [] : ['--device', 'cuda'])];
  const nobody = { onEvent: () => undefined, onLine: () => undefined };
  const failure = await trainToEnd(args, 'its process', { signal, environment, ...nobody });
  if (!failure) return undefined;
  const { reason, code } = failure;
  if (code === undefined) return { reason, cause: 'passing' };
  return code === usageExitCode ? { reason, cause: 'settings' } : { reason };
}

/** Throws a user error for a run that another machine may train: it would be trained twice. */
async function refuseUnfollowed(folder: string): Promise<void> {
  const run = await readStoredRun(folder);
  if (!isUnfollowed(run)) return;
  const host = run.job?.host ?? 'HOST';
  throw userError(
    `${folder} was handed to ${host} and may train there: continue the sweep with --to ssh:${host}, or bring the run to its end with fivecrop submit stop and follow.`,
  );
}

/** Arguments of `fivecrop train`; the settings of a new run are written beside those of the other trials. */
async function trialArguments(training: TrialTraining): Promise<readonly string[]> {
  const { config, sweep, folder, resumes, untilEpoch } = training;
  const run = basename(folder);
  const settings = join(sweep, `${run}.fivecrop.json`);
  if (!resumes) await writeTextAtomically(settings, `${JSON.stringify(config, undefined, 2)}\n`);
  return [
    ...(resumes ? ['--resume', folder] : ['--config', settings, '--out', dirname(folder), '--name', run]),
    ...(untilEpoch === undefined ? [] : ['--until-epoch', String(untilEpoch)]),
    ...['--features-folder', join(sweep, sweepFiles.features)],
  ];
}
