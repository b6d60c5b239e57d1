import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { cancelled } from '../../protocol/errors.ts';
import type { Parts } from '../parts.ts';
import { obtainWeights } from './obtainWeights.ts';
import type { TrainingRequest } from '../../runs/startTrainer.ts';
import { trainsHere } from '../trainer/elsewhere.ts';
import { visible } from '../../protocol/visibleText.ts';
import { runTitle } from '../../protocol/runTitle.ts';

/**
 * Starts a run, once the pretrained weights that it needs are here, and opens its panel. If another one is training, the user says whether it waits or trains beside it. Throws a cancellation.
 */
export async function startOrQueue(
  { runs, trainers, panels, service }: Pick<Parts, 'runs' | 'trainers' | 'panels' | 'service'>,
  wanted: TrainingRequest,
): Promise<void> {
  // What goes on from a checkpoint has its weights.
  const needsWeights = wanted.resume === undefined;
  const request = needsWeights ? { ...wanted, config: await obtainWeights({ service }, wanted.config) } : wanted;
  await runs.load();
  const live = runs.runs.filter(trainsHere);
  if (live.length > 0 && (await wantsToWait(live.map(({ record }) => runTitle(record.name))))) {
    await trainers.enqueue(request);
    return;
  }
  const starting = { location: { viewId: 'fivecrop.checkpoints' }, title: l10n.t('Starting the training process') };
  const folder = await vscode.window.withProgress(starting, () => trainers.start(request));
  panels.showRuns([folder]);
}

async function wantsToWait(names: readonly string[]): Promise<boolean> {
  const wait = {
    label: `$(clock) ${l10n.t('Add to Queue')}`,
    detail: l10n.t('Starts when no other run is training.'),
  };
  const now = {
    label: `$(play) ${l10n.t('Start Now')}`,
    detail: l10n.t('Both share this machine, so each is slower.'),
  };
  const title = visible(
    names.length === 1 ? l10n.t('{0} is training', names.join()) : l10n.t('{0} are training', names.join(', ')),
  );
  const picked = await vscode.window.showQuickPick([wait, now], { title, ignoreFocusOut: true });
  if (picked === undefined) throw cancelled();
  return picked === wait;
}
