import { join } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { cancelled, userError } from '../../protocol/errors.ts';
import { runTitle } from '../../protocol/runTitle.ts';
import type { GivenConfig } from '../../protocol/trainingConfig.ts';
import type { Parts } from '../parts.ts';
import { requireTrust } from '../requireTrust.ts';
import { chooseFolder } from './chooseFolder.ts';
import { chooseRun } from './chooseRun.ts';
import { configuredNode } from './configurationDocuments.ts';
import { confirmTraining, type ConfirmParts } from './confirmTraining.ts';
import { editSettings } from './editSettings.ts';
import { isLookAhead, lookAhead, withRate } from './lookAhead.ts';
import { nameAgain } from './nameAgain.ts';
import { startOrQueue } from './startOrQueue.ts';

type AgainParts = ConfirmParts & Pick<Parts, 'runs' | 'trainers' | 'panels' | 'service'>;

/** The settings of a new run, where it goes, and what the last question is called. */
interface Again {
  readonly config: GivenConfig;
  readonly out: string;
  readonly title: string;
  /** The name of the new run; without it, it is called by network and method. */
  readonly name?: string;
}

/** *Train Again with These Settings*: begins a new run with the settings of another one. */
export async function trainAgain(parts: AgainParts, argument: unknown): Promise<void> {
  requireTrust('training');
  const { folder, record } = await chooseRun(parts, argument, {
    title: l10n.t('Train again with the settings of which run?'),
    suits: () => true,
    none: l10n.t('There are no runs here yet; Fivecrop: Train Model starts one.'),
  });
  const title = l10n.t('Train Again with the Settings of {0}', runTitle(record.name));
  const name = nameAgain(record);
  await confirmAndStart(parts, {
    config: record.config,
    out: join(folder, '..'),
    title,
    ...(name === undefined ? {} : { name }),
  });
}

/** *Train with This*, in the title bar of a document with settings. */
export async function trainWithConfiguration(parts: AgainParts, argument: unknown): Promise<void> {
  requireTrust('training');
  if (!(argument instanceof vscode.Uri)) throw userError(l10n.t('Show the configuration of a run to train with it.'));
  await parts.runs.load();
  const { node, config } = configuredNode(argument, parts);
  if (node.kind === 'run') return trainAgain(parts, node);
  await confirmAndStart(parts, { config, out: node.entry.request.out, title: l10n.t('Train with These Settings') });
}

/** The last question of *Train Model*, then the run. */
async function confirmAndStart(parts: AgainParts, { config: first, out, title, ...named }: Again): Promise<void> {
  let config = first;
  for (;;) {
    const answer = await confirmTraining(parts, {
      config,
      place: { title, step: 1, totalSteps: 1 },
      canEdit: true,
      onChange: (changed) => (config = changed),
    });
    if (answer === 'edit') return editSettings(config);
    if (answer === 'start') return startOrQueue(parts, { config, out, ...named });
    if (isLookAhead(answer)) {
      config = withRate(config, await lookAhead(parts, config, answer));
      continue;
    }
    if (answer !== 'folder') return;
    const data = await chooseFolder({
      title: l10n.t('Choose a folder of images to train on'),
      openLabel: l10n.t('Train on This Folder'),
    });
    if (data === undefined) throw cancelled();
    config = { ...config, data };
  }
}
