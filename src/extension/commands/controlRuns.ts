import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { join } from 'node:path';
import { cancelled } from '../../protocol/errors.ts';
import { savedCheckpoint } from '../../runs/checkpointFiles.ts';
import type { Parts } from '../parts.ts';
import type { StoredRun } from '../../runs/list.ts';
import { isLive } from '../../runs/state.ts';
import { elsewhereRefusal } from '../trainer/elsewhere.ts';
import { fromRow, nodeFrom } from '../views/treeNodes.ts';
import { chooseRun, chooseRuns } from './chooseRun.ts';
import { registerCommand } from './registerCommand.ts';
import { resumeRun } from './resumeRun.ts';
import { startOrQueue } from './startOrQueue.ts';
import { visible } from '../../protocol/visibleText.ts';
import { runTitle } from '../../protocol/runTitle.ts';

type ControlParts = Pick<Parts, 'log' | 'runs' | 'trainers' | 'panels' | 'service'>;

const isReached = ({ state, record }: StoredRun) => isLive(state) && elsewhereRefusal(record) === undefined;
const toStop = {
  title: l10n.t('Stop which run?'),
  suits: isReached,
  none: l10n.t('No run is training now, so there is nothing to stop.'),
};
const toPause = {
  title: l10n.t('Pause which run?'),
  suits: isReached,
  none: l10n.t('No run is training now, so there is nothing to pause.'),
};

/** *Resume*, *Start Again*, *Stop*, *Stop Now*, *Pause*, *Show Run*, *Compare Runs* and *Compare Selected*. */
export function registerRunControl(parts: ControlParts): vscode.Disposable {
  const { log, trainers, panels } = parts;
  return vscode.Disposable.from(
    registerCommand('fivecrop.stopRun', log, async (argument: unknown) => {
      const { folder, state } = await chooseRun(parts, argument, toStop);
      const isStopping = state === 'stopping' || trainers.requestOf(folder) === 'stop';
      return isStopping ? trainers.stopNow(folder) : trainers.stop(folder);
    }),
    registerCommand('fivecrop.stopRunNow', log, async (argument: unknown) =>
      trainers.stopNow((await chooseRun(parts, argument, toStop)).folder),
    ),
    registerCommand('fivecrop.pauseRun', log, async (argument: unknown) =>
      trainers.pause((await chooseRun(parts, argument, toPause)).folder),
    ),
    registerCommand('fivecrop.resumeRun', log, (argument: unknown) => resume(parts, argument)),
    registerCommand('fivecrop.startRunAgain', log, (argument: unknown) => startAgain(parts, argument)),
    registerCommand('fivecrop.showRun', log, async (argument: unknown, how: unknown) => {
      const question = {
        title: l10n.t('Show which run?'),
        suits: () => true,
        none: l10n.t('There are no runs here yet; Fivecrop: Train Model starts one.'),
      };
      const { folder } = await chooseRun(parts, argument, question);
      panels.showRuns([folder], { preserveFocus: how === fromRow });
    }),
    registerCommand('fivecrop.compareRuns', log, (argument: unknown) => compare(parts, argument, undefined)),
    registerCommand('fivecrop.compareSelected', log, (argument: unknown, selection: unknown) =>
      compare(parts, argument, selection),
    ),
  );
}

async function compare(parts: ControlParts, argument: unknown, selection: unknown): Promise<void> {
  const runs = await chooseRuns(parts, argument, selection, {
    title: l10n.t('Compare which runs?'),
    suits: () => true,
    none: l10n.t('Comparing takes two runs; Fivecrop: Train Model starts one.'),
  });
  parts.panels.showRuns(runs.map(({ folder }) => folder));
}

async function resume(parts: ControlParts, argument: unknown): Promise<void> {
  const run = await chooseRun(parts, argument, {
    title: l10n.t('Resume which run?'),
    suits: ({ folder, state, record }) =>
      isLive(state)
        ? state === 'paused' && elsewhereRefusal(record) === undefined
        : savedCheckpoint(folder) !== undefined,
    none: l10n.t('There is no run to resume; Fivecrop: Train Model starts one.'),
  });
  const node = nodeFrom(argument);
  const isLast = node?.kind === 'checkpoint' && node.path.endsWith(join('checkpoints', 'last.safetensors'));
  if (node?.kind === 'checkpoint' && (!isLast || isLive(run.state))) return resumeFrom(parts, run, node.path);
  if (run.state === 'finished') return trainOn(parts, run);
  parts.panels.showRuns([await resumeRun(parts, run.folder)]);
}

/** A run that ended before its first checkpoint begins again in its own folder. */
async function startAgain(parts: ControlParts, argument: unknown): Promise<void> {
  const run = await chooseRun(parts, argument, {
    title: l10n.t('Start which run again?'),
    suits: ({ folder, state }) => !isLive(state) && state !== 'finished' && savedCheckpoint(folder) === undefined,
    none: l10n.t('No run here ended before its first checkpoint; Fivecrop: Resume continues the others.'),
  });
  parts.panels.showRuns([await resumeRun(parts, run.folder)]);
}

/** From any checkpoint but the last, or of a run that still trains: a new run, so that nothing is overwritten. */
async function resumeFrom(parts: ControlParts, run: StoredRun, checkpoint: string): Promise<void> {
  await startOrQueue(parts, { config: run.record.config, out: join(run.folder, '..'), resume: checkpoint });
}

/** A run that did all its epochs goes on when it gets more of them. */
async function trainOn(parts: ControlParts, run: StoredRun): Promise<void> {
  const { config, name } = run.record;
  const answer = await vscode.window.showInputBox({
    ignoreFocusOut: true,
    title: visible(l10n.t('Train {0} further', runTitle(name))),
    prompt:
      config.epochs === 1
        ? l10n.t('It has done 1 epoch. How many in total?')
        : l10n.t('It has done {0} epochs. How many in total?', config.epochs),
    value: String(config.epochs * 2),
    validateInput: (value) =>
      /^\d{1,5}$/.test(value) && Number(value) > config.epochs
        ? undefined
        : l10n.t('A whole number above {0}.', config.epochs),
  });
  if (answer === undefined) throw cancelled();
  await startOrQueue(parts, {
    config: { ...config, epochs: Number(answer) },
    out: join(run.folder, '..'),
    resume: run.folder,
  });
}
