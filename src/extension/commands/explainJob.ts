import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { runTitle } from '../../protocol/runTitle.ts';
import { visible } from '../../protocol/visibleText.ts';
import { isUnfollowed } from '../../runs/state.ts';
import type { Parts } from '../parts.ts';
import { inMessage } from '../plainText.ts';
import { chooseRun } from './chooseRun.ts';
import { registerCommand } from './registerCommand.ts';

/** *Follow*: what a run makes on a machine that shares no disk is copied. */
export function registerFollowingRun(parts: Pick<Parts, 'log' | 'runs' | 'trainers'>): vscode.Disposable {
  const { log, trainers } = parts;
  return registerCommand('fivecrop.followRun', log, async (argument: unknown) => {
    const { folder, record } = await chooseRun(parts, argument, {
      title: l10n.t('Follow which run?'),
      suits: isUnfollowed,
      none: l10n.t('Every run on another machine is followed, or shares its disk with this one.'),
    });
    const title = visible(l10n.t('Connecting to the machine of {0}', runTitle(record.name)));
    const location = { viewId: 'fivecrop.checkpoints' };
    await vscode.window.withProgress({ location, title }, () => trainers.jobs.follow(folder));
  });
}

/** *Show Job Status*: what is known there of a run that waits or was lost. */
export function registerExplainingJob(parts: Pick<Parts, 'log' | 'runs' | 'trainers'>): vscode.Disposable {
  const { log, trainers } = parts;
  return registerCommand('fivecrop.explainJob', log, async (argument: unknown) => {
    const { folder, record } = await chooseRun(parts, argument, {
      title: l10n.t('Ask about which run?'),
      suits: ({ state, job }) => job !== undefined && (state === 'queued' || state === 'broken off'),
      none: l10n.t('No submitted run waits or was lost; “fivecrop submit” hands runs over.'),
    });
    const name = runTitle(record.name);
    const title = visible(l10n.t('Asking about {0}', name));
    const location = vscode.ProgressLocation.Notification;
    const said = await vscode.window.withProgress({ location, title }, () => trainers.jobs.explain(folder));
    const message = said === undefined ? l10n.t('{0} neither waits nor was lost any more.', name) : `${name}: ${said}.`;
    void vscode.window.showInformationMessage(inMessage(message));
  });
}
