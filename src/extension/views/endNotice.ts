import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { runFiles } from '../../protocol/runRecord.ts';
import { trainsWithoutWeights } from '../../protocol/weightsAdvice.ts';
import { runTitle } from '../../protocol/runTitle.ts';
import { showFailure } from '../commands/registerCommand.ts';
import { offerWeights } from '../commands/offerWeights.ts';
import { resumeRun, trainWithout } from '../commands/resumeRun.ts';
import type { Parts } from '../parts.ts';
import type { LiveRuns } from '../trainer/liveRuns.ts';
import type { StoredRun } from '../../runs/list.ts';
import { savedCheckpoint } from '../../runs/checkpointFiles.ts';
import { isSweepLive, type StoredSweep } from '../../runs/storedSweep.ts';
import { nameOfSweep } from '../trainer/sweepCatalogue.ts';
import { percent } from './formatRun.ts';
import type { CheckpointNode } from './treeNodes.ts';
import { inMessage } from '../plainText.ts';

/** Says once, when a run ends, how it went and what can be done with it. */
export function registerEndNotice(
  parts: EndParts & Pick<Parts, 'log'> & { readonly live: LiveRuns },
): vscode.Disposable {
  const { runs, live, log } = parts;
  const tellSafely = (telling: Promise<void>) => void telling.catch((error: unknown) => showFailure(error, log));
  const running = new Set<string>();
  return vscode.Disposable.from(
    live.onDidEnd((run) => {
      // A sweep has many trials, and says by itself when it ends.
      if (runs.sweeps.ofRun(run.folder) === undefined) tellSafely(tell(run, parts));
    }),
    runs.onDidChangeSweeps((folders) => {
      for (const folder of folders) {
        const sweep = runs.sweeps.get(folder);
        const isLive = sweep !== undefined && isSweepLive(sweep.state);
        if (isLive) running.add(folder);
        else if (running.delete(folder) && sweep) tellSafely(tellOfSweep(sweep, parts));
      }
    }),
  );
}

async function tellOfSweep(sweep: StoredSweep, { panels }: Pick<Parts, 'panels'>): Promise<void> {
  const { folder, state, standings } = sweep;
  const name = nameOfSweep(sweep);
  const [best] = standings;
  const accuracy = best?.accuracy;
  const result =
    accuracy === undefined || best?.run === undefined
      ? ''
      : ` ${l10n.t('The best of its trials is {0}, with {1} on the validation images.', runTitle(best.run), percent(accuracy))}`;
  const show = { title: l10n.t('Show'), act: () => panels.showSweep(folder) };
  const resume = { title: l10n.t('Resume'), act: () => runCommand('fivecrop.resumeSweep', folder) };
  if (standings.every((trial) => trial.state === 'failed'))
    return choose(vscode.window.showErrorMessage, failedSweepText(name, standings), [show]);
  switch (state) {
    case 'finished':
      return choose(vscode.window.showInformationMessage, l10n.t('The sweep {0} has finished.', name) + result, [show]);
    case 'stopped':
      return choose(vscode.window.showInformationMessage, l10n.t('The sweep {0} was stopped.', name), [resume, show]);
    default:
      return choose(vscode.window.showWarningMessage, l10n.t('The sweep {0} was interrupted.', name), [resume, show]);
  }
}

function failedSweepText(name: string, [first]: StoredSweep['standings']): string {
  const failed = l10n.t('No trial of the sweep {0} could be trained.', name);
  return first?.reason === undefined ? failed : `${failed} ${first.reason}`;
}

type EndParts = Pick<Parts, 'runs' | 'trainers' | 'service' | 'panels'>;

/** A run that lacks its pretrained weights: tries again once they may be had, or trains without them. */
async function tellOfWeights({ folder, record }: StoredRun, parts: EndParts): Promise<void> {
  const answer = await offerWeights(parts.service, failedText(record), trainsWithoutWeights(record.config.network));
  if (answer === undefined) return;
  const resumed = answer === 'retry' ? await resumeRun(parts, folder) : await trainWithout(parts, folder);
  parts.panels.showRuns([resumed]);
}

async function tell(run: StoredRun, parts: EndParts): Promise<void> {
  const { panels } = parts;
  const { folder, record, state } = run;
  const title = runTitle(record.name);
  if (state === 'failed' && record.missing === 'weights') return tellOfWeights(run, parts);
  const best = join(folder, runFiles.checkpoints, runFiles.best);
  const checkpoint: CheckpointNode = { kind: 'checkpoint', folder, path: best };
  const show = { title: l10n.t('Show'), act: () => panels.showRuns([folder]) };
  const isSaved = savedCheckpoint(folder) !== undefined;
  const resume = {
    title: isSaved ? l10n.t('Resume') : l10n.t('Start Again'),
    act: async () => panels.showRuns([await resumeRun(parts, folder)]),
  };
  const uses = existsSync(best)
    ? [
        { title: l10n.t('Classify an Image'), act: () => runCommand('fivecrop.classifyWithCheckpoint', checkpoint) },
        { title: l10n.t('Test'), act: () => runCommand('fivecrop.testCheckpoint', checkpoint) },
      ]
    : [];
  const saved = isSaved
    ? l10n.t('Resume continues from its last checkpoint.')
    : l10n.t('It had saved no checkpoint yet, so it can only start again.');
  const withAccuracy = (sentence: string) =>
    record.best === undefined
      ? sentence
      : `${sentence} ${l10n.t('Best validation accuracy: {0}.', percent(record.best.validAccuracy))}`;
  switch (state) {
    case 'finished':
      return choose(vscode.window.showInformationMessage, withAccuracy(l10n.t('{0} has finished.', title)), [
        ...uses,
        show,
      ]);
    case 'stopped':
      return choose(vscode.window.showInformationMessage, withAccuracy(l10n.t('{0} was stopped.', title)), [
        resume,
        show,
      ]);
    case 'failed':
      return choose(vscode.window.showErrorMessage, failedText(record), [resume, show]);
    case 'broken off':
      return choose(vscode.window.showWarningMessage, `${interruption(run)} ${saved}`, [resume, show]);
    default:
      return undefined;
  }
}

function interruption({ record, job }: StoredRun): string {
  const title = runTitle(record.name);
  return job === undefined
    ? l10n.t('{0} was interrupted.', title)
    : l10n.t('{0} is lost: its job gives no sign of life.', title);
}

function failedText({ name, reason }: StoredRun['record']): string {
  return [l10n.t('{0} failed.', runTitle(name)), reason].filter((part) => part !== undefined).join(' ');
}

interface Choice extends vscode.MessageItem {
  readonly act: () => unknown;
}

async function choose(
  ask: (message: string, ...choices: Choice[]) => Thenable<Choice | undefined>,
  message: string,
  choices: readonly Choice[],
): Promise<void> {
  await (await ask(inMessage(message), ...choices))?.act();
}

function runCommand(command: string, argument: unknown): Thenable<unknown> {
  return vscode.commands.executeCommand(command, argument);
}
