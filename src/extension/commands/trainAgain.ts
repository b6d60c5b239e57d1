import { join } from 'node:path';
import * as vscode from 'vscode';
import { cancelled } from '../../protocol/errors.ts';
import type { Parts } from '../parts.ts';
import { requireTrust } from '../requireTrust.ts';
import { chooseRun } from './chooseRun.ts';
import { confirmTraining, type ConfirmParts } from './confirmTraining.ts';
import { editSettings } from './editSettings.ts';
import { startOrQueue } from './startOrQueue.ts';

/** Begins a new run with the settings of another one, after the last question of *Train Model*. */
export async function trainAgain(
  parts: ConfirmParts & Pick<Parts, 'runs' | 'trainers' | 'panels'>,
  argument: unknown,
): Promise<void> {
  requireTrust('Training');
  const { folder, record } = await chooseRun(parts, argument, {
    placeHolder: 'Train again with the settings of which run?',
    suits: () => true,
    none: 'There are no runs here yet; Fivecrop: Train Model begins one.',
  });
  let { config } = record;
  for (;;) {
    const answer = await confirmTraining(parts, {
      config,
      place: { title: `Train Again with the Settings of ${record.name}`, step: 1, totalSteps: 1 },
      canEdit: true,
      onChange: ({ classWeights, frozenPrecision }) => (config = { ...config, classWeights, frozenPrecision }),
    });
    if (answer === 'edit') return editSettings(config);
    if (answer === 'start') return startOrQueue(parts, { config, out: join(folder, '..') });
    if (answer !== 'folder') return;
    config = { ...config, data: await chooseFolder() };
  }
}

async function chooseFolder(): Promise<string> {
  const [chosen] =
    (await vscode.window.showOpenDialog({
      canSelectFolders: true,
      canSelectFiles: false,
      title: 'Choose a Folder of Images to Train On',
      openLabel: 'Train on This Folder',
    })) ?? [];
  if (chosen === undefined) throw cancelled();
  return chosen.fsPath;
}
