import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { join } from 'node:path';
import { cancelled } from '../../protocol/errors.ts';
import { savedCheckpoint } from '../../runs/checkpointFiles.ts';
import type { Parts } from '../parts.ts';
import type { StoredRun } from '../../runs/list.ts';
import { isOver } from '../../runs/state.ts';
import { reachOf } from '../trainer/elsewhere.ts';
import { nodeFrom } from '../views/treeNodes.ts';
import { chooseRun } from './chooseRun.ts';
import { registerCommand } from './registerCommand.ts';
import { resumeRun } from './resumeRun.ts';
import { startOrQueue } from './startOrQueue.ts';
import { visible } from '../../protocol/visibleText.ts';
import { runTitle } from '../../protocol/runTitle.ts';

type ContinueParts = Pick<Parts, 'log' | 'runs' | 'trainers' | 'panels' | 'service'>;

/** *Resume* and *Start Again*. */
export function registerContinuingRun(parts: ContinueParts): vscode.Disposable {
  const { log } = parts;
  return vscode.Disposable.from(
    registerCommand('fivecrop.resumeRun', log, (argument: unknown) => resume(parts, argument)),
    registerCommand('fivecrop.startRunAgain', log, (argument: unknown) => startAgain(parts, argument)),
  );
}

async function resume(parts: ContinueParts, argument: unknown): Promise<void> {
  const run = await chooseRun(parts, argument, {
    title: l10n.t('Resume which run?'),
    suits: (run) =>
      isOver(run.state)
        ? savedCheckpoint(run.folder) !== undefined
        : run.state === 'paused' && reachOf(run) !== undefined,
    none: l10n.t('There is no run to resume; Fivecrop: Train Model starts one.'),
  });
  const node = nodeFrom(argument);
  const isLast = node?.kind === 'checkpoint' && node.path.endsWith(join('checkpoints', 'last.safetensors'));
  if (node?.kind === 'checkpoint' && (!isLast || !isOver(run.state))) return resumeFrom(parts, run, node.path);
  if (run.state === 'finished') return trainOn(parts, run);
  parts.panels.showRuns([await resumeRun(parts, run.folder)]);
}

/** A run that ended before its first checkpoint begins again in its own folder. */
async function startAgain(parts: ContinueParts, argument: unknown): Promise<void> {
  const run = await chooseRun(parts, argument, {
    title: l10n.t('Start which run again?'),
    suits: ({ folder, state }) => isOver(state) && state !== 'finished' && savedCheckpoint(folder) === undefined,
    none: l10n.t('No run here ended before its first checkpoint; Fivecrop: Resume continues the others.'),
  });
  parts.panels.showRuns([await resumeRun(parts, run.folder)]);
}

/** From any checkpoint but the last, or of a run that still trains: a new run, so that nothing is overwritten. */
async function resumeFrom(parts: ContinueParts, run: StoredRun, checkpoint: string): Promise<void> {
  await startOrQueue(parts, { config: run.record.config, out: join(run.folder, '..'), resume: checkpoint });
}

/** A run that did all its epochs goes on when it gets more of them. */
async function trainOn(parts: ContinueParts, run: StoredRun): Promise<void> {
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
