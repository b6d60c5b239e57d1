import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { runFiles } from '../../protocol/runRecord.ts';
import { runTitle } from '../../protocol/runTitle.ts';
import { showFailure } from '../commands/registerCommand.ts';
import { offerWeights } from '../commands/offerWeights.ts';
import { resumeRun, trainWithout } from '../commands/resumeRun.ts';
import type { Parts } from '../parts.ts';
import type { LiveRuns } from '../trainer/liveRuns.ts';
import type { StoredRun } from '../../runs/list.ts';
import { savedCheckpoint } from '../../runs/checkpointFiles.ts';
import { percent } from './formatRun.ts';
import type { CheckpointNode } from './treeNodes.ts';
import { inMessage } from '../plainText.ts';

/** Says once, when a run ends, how it went and what can be done with it. */
export function registerEndNotice(
  parts: EndParts & Pick<Parts, 'log'> & { readonly live: LiveRuns },
): vscode.Disposable {
  return parts.live.onDidEnd((run) => {
    void tell(run, parts).catch((error: unknown) => showFailure(error, parts.log));
  });
}

type EndParts = Pick<Parts, 'runs' | 'trainers' | 'service' | 'panels'>;

/** A run that lacks its pretrained weights: tries again once they may be had, or trains without them. */
async function tellOfWeights({ folder, record }: StoredRun, parts: EndParts): Promise<void> {
  const answer = await offerWeights(parts.service, `${runTitle(record.name)} failed. ${record.reason ?? ''}`);
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
  const show = { title: 'Show', act: () => panels.showRuns([folder]) };
  const isSaved = savedCheckpoint(folder) !== undefined;
  const resume = {
    title: isSaved ? 'Resume' : 'Start Again',
    act: async () => panels.showRuns([await resumeRun(parts, folder)]),
  };
  const uses = existsSync(best)
    ? [
        { title: 'Classify an Image', act: () => runCommand('fivecrop.classifyWithCheckpoint', checkpoint) },
        { title: 'Test', act: () => runCommand('fivecrop.testCheckpoint', checkpoint) },
      ]
    : [];
  const saved = isSaved
    ? 'Resume continues from its last checkpoint.'
    : 'It had saved no checkpoint yet, so it can only start again.';
  const reason = record.reason === undefined ? '' : ` ${record.reason}`;
  const accuracy = record.best === undefined ? '' : ` Best validation accuracy: ${percent(record.best.validAccuracy)}.`;
  switch (state) {
    case 'finished':
      return choose(vscode.window.showInformationMessage, `${title} has finished.${accuracy}`, [...uses, show]);
    case 'stopped':
      return choose(vscode.window.showInformationMessage, `${title} was stopped.${accuracy}`, [resume, show]);
    case 'failed':
      return choose(vscode.window.showErrorMessage, `${title} failed.${reason}`, [resume, show]);
    case 'broken off':
      return choose(
        vscode.window.showWarningMessage,
        `${title} was interrupted: its process ended unexpectedly. ${saved}`,
        [resume, show],
      );
    default:
      return undefined;
  }
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
