import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import type { Parts } from '../parts.ts';
import type { StoredRun } from '../../runs/list.ts';
import { isOver } from '../../runs/state.ts';
import { reachOf } from '../trainer/elsewhere.ts';
import { chooseRun, type RunQuestion } from './chooseRun.ts';
import { registerCommand } from './registerCommand.ts';

type StopParts = Pick<Parts, 'log' | 'runs' | 'trainers'>;

const isReached = (run: StoredRun) => reachOf(run) !== undefined && !isOver(run.state);
const toStop = {
  title: l10n.t('Stop which run?'),
  suits: isReached,
  none: l10n.t('No run is training now, so there is nothing to stop.'),
};
const toPause: RunQuestion = {
  title: l10n.t('Pause which run?'),
  suits: (run) => isReached(run) && run.state !== 'queued',
  none: l10n.t('No run is training now, so there is nothing to pause.'),
};

/** *Stop*, *Stop Now* and *Pause*. */
export function registerStoppingRun(parts: StopParts): vscode.Disposable {
  const { log, trainers } = parts;
  return vscode.Disposable.from(
    registerCommand('fivecrop.stopRun', log, async (argument: unknown) => {
      const run = await chooseRun(parts, argument, toStop);
      const { folder, state } = run;
      const isAsked = state === 'stopping' || trainers.requestOf(folder) === 'stop';
      const isStopping = isAsked && reachOf(run) === 'here';
      return isStopping ? trainers.stopNow(folder) : trainers.stop(folder);
    }),
    registerCommand('fivecrop.stopRunNow', log, async (argument: unknown) =>
      trainers.stopNow((await chooseRun(parts, argument, toStop)).folder),
    ),
    registerCommand('fivecrop.pauseRun', log, async (argument: unknown) =>
      trainers.pause((await chooseRun(parts, argument, toPause)).folder),
    ),
  );
}
