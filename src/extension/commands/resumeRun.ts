import { dirname } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { cancelled, UserError, userError } from '../../protocol/errors.ts';
import { runTitle } from '../../protocol/runTitle.ts';
import { visible } from '../../protocol/visibleText.ts';
import type { Parts } from '../parts.ts';
import { isOver } from '../../runs/state.ts';
import { savedCheckpoint } from '../../runs/checkpointFiles.ts';
import type { StoredRun } from '../../runs/list.ts';
import { inMessage } from '../plainText.ts';
import { requireTrust } from '../requireTrust.ts';
import type { Jobs } from '../trainer/jobs.ts';
import { withoutPretrained } from './neededWeights.ts';
import { obtainWeights } from './obtainWeights.ts';

type SubmittedRun = Pick<StoredRun, 'folder' | 'record' | 'job' | 'state'>;
type ResumeParts = Pick<Parts, 'runs' | 'trainers' | 'service'>;

/** Whether a run has a checkpoint to go on from, or has not ended; without one it begins again and needs its pretrained weights. */
function goesOn({ runs }: ResumeParts, folder: string): boolean {
  const run = runs.get(folder);
  return run === undefined || !isOver(run.state) || savedCheckpoint(folder) !== undefined;
}

/**
 * Has what a run needs to go on or to begin again, and returns what resumes it as `Trainers.resume` does. If its pretrained
 * weights cannot be had and the user trains without them, that is another run. Throws a cancellation.
 */
export async function prepareResume(parts: ResumeParts, folder: string): Promise<() => Promise<string>> {
  const { runs, trainers, service } = parts;
  const run = runs.get(folder);
  if (run?.job !== undefined && isOver(run.state) && (await resumesElsewhere(run, trainers.jobs))) {
    return async () => {
      await submitAgain(run, trainers.jobs);
      await runs.refresh(folder);
      return folder;
    };
  }
  const config = goesOn(parts, folder) ? undefined : runs.get(folder)?.record.config;
  const found = config && (await obtainWeights({ service }, config));
  if (found === undefined || found === config) return () => trainers.resume(folder);
  return () => trainers.start({ config: found, out: dirname(folder) });
}

/**
 * Asks where a run that was submitted goes on: whether where it was. To go on here, a job of it that may still be there is
 * canceled first. Throws a cancellation.
 */
async function resumesElsewhere({ folder, record, job, state }: SubmittedRun, jobs: Jobs): Promise<boolean> {
  requireTrust('controlling');
  const again = { label: l10n.t('Submit It Again'), description: `${job?.scheduler ?? ''} ${job?.host ?? ''}`.trim() };
  const here = { label: l10n.t('Train on This Machine'), detail: l10n.t('Its job is canceled first, if it is still there.') }; // prettier-ignore
  const title = visible(l10n.t('Resume {0} where?', runTitle(record.name)));
  const chosen = await vscode.window.showQuickPick([again, here], { title, ignoreFocusOut: true });
  if (!chosen) throw cancelled();
  if (chosen === again) return true;
  // Of a run that was stopped or has failed the job has ended.
  if (state === 'broken off') await cancelFirst(folder, jobs);
  return false;
}

/** Where the scheduler cannot be asked, the user says whether the run goes on nevertheless. */
async function cancelFirst(folder: string, jobs: Jobs): Promise<void> {
  try {
    await jobs.control(folder, 'stop');
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const anyway = l10n.t('Resume Anyway');
    const message = l10n.t('Its job could not be canceled, and may still train it: {0}', error.message);
    if ((await vscode.window.showWarningMessage(inMessage(message), anyway)) !== anyway) throw cancelled();
  }
}

async function submitAgain({ folder, record }: SubmittedRun, jobs: Jobs): Promise<void> {
  const title = visible(l10n.t('Submitting {0}', runTitle(record.name)));
  const location = vscode.ProgressLocation.Notification;
  await vscode.window.withProgress({ location, title }, () => jobs.control(folder, 'resume'));
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
