import { basename } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { cancelled, userError } from '../../protocol/errors.ts';
import { runNameOf } from '../../runs/name.ts';
import type { Parts } from '../parts.ts';
import { readSettings } from '../settings.ts';
import type { DataFolders } from '../trainer/dataFolders.ts';
import type { LiveRuns } from '../trainer/liveRuns.ts';
import type { SpeedMemory } from '../trainer/speedMemory.ts';
import type { Sweeps } from '../trainer/sweeps.ts';
import { networkOffers } from './askNetwork.ts';
import { askTrainingChoices, dataChosen } from './askTrainingChoices.ts';
import { keptChoices, rememberChoices } from './choicesMemory.ts';
import { confirmTraining } from './confirmTraining.ts';
import { folderFrom } from './dataArgument.ts';
import { justDrawn } from './drawSample.ts';
import { editSettings } from './editSettings.ts';
import { isLookAhead, lookAhead, withRate } from './lookAhead.ts';
import { back } from './runSteps.ts';
import { isSpace, sweepWithFile } from './newSweep.ts';
import { registerCommand } from './registerCommand.ts';
import { runsFolder } from './runsFolder.ts';
import { startOrQueue } from './startOrQueue.ts';
import { configFrom, withSettings } from './trainingChoices.ts';
import { trainAgain, trainWithConfiguration } from './trainAgain.ts';
import { parseTrainingConfig } from './trainingConfigFile.ts';
import { createVirtualDocuments, type VirtualDocuments } from './virtualDocuments.ts';

const title = l10n.t('Train Model');

interface TrainParts extends Parts {
  readonly dataFolders: DataFolders;
  readonly documents: VirtualDocuments;
  readonly live: LiveRuns;
  readonly speeds: SpeedMemory;
  readonly sweeps: Sweeps;
}

/** *Train Model*, *Train Model on This Folder*, *Train with This File* and *Train Again with These Settings*. */
export function registerTrainModel(
  context: vscode.ExtensionContext,
  known: Omit<TrainParts, 'documents'>,
): vscode.Disposable {
  const documents = createVirtualDocuments('fivecrop-data');
  const parts: TrainParts = { ...known, documents };
  return vscode.Disposable.from(
    documents,
    registerCommand('fivecrop.train', parts.log, (argument: unknown) =>
      trainModel(context, parts, folderFrom(argument)),
    ),
    registerCommand('fivecrop.trainOnFolder', parts.log, (argument: unknown, note: unknown) => {
      const folder = folderFrom(argument);
      if (folder === undefined)
        throw userError(l10n.t('Right-click a folder of images in the explorer to train on it.'));
      return trainModel(context, parts, folder, note === justDrawn);
    }),
    registerCommand('fivecrop.trainWithFile', parts.log, (argument: unknown) => trainWithFile(parts, argument)),
    registerCommand('fivecrop.trainAgain', parts.log, (argument: unknown) => trainAgain(parts, argument)),
    registerCommand('fivecrop.trainWithConfiguration', parts.log, (argument: unknown) =>
      trainWithConfiguration(parts, argument),
    ),
  );
}

async function trainModel(
  context: vscode.ExtensionContext,
  parts: TrainParts,
  folder?: string,
  isDrawn = false,
): Promise<void> {
  const out = runsFolder(parts);
  const settings = readSettings();
  const first = keptChoices(context, settings);
  const asking = { ...parts, title, settings, offers: networkOffers(parts.service) };
  let { choices, place } =
    folder !== undefined && isDrawn
      ? { choices: await dataChosen(asking, first, folder), place: { title, step: 2, totalSteps: 2 } }
      : await askTrainingChoices(asking, first, { folder });
  /** What a range test suggested; for other answers it says nothing. */
  let learningRate: number | undefined;
  for (;;) {
    const config = () => withRate(configFrom(choices, settings), learningRate);
    const answer = await confirmTraining(parts, {
      config: config(),
      place,
      canEdit: true,
      onChange: (changed) => (choices = withSettings(choices, changed)),
    });
    if (answer === back || answer === 'folder') {
      learningRate = undefined;
      const from = answer === back ? { folder, last: true } : {};
      ({ choices, place } = await askTrainingChoices(asking, choices, from));
    } else if (isLookAhead(answer)) learningRate = (await lookAhead(parts, config(), answer)) ?? learningRate;
    else {
      await rememberChoices(context, parts.dataFolders, choices);
      return answer === 'edit' ? editSettings(config()) : startOrQueue(parts, { config: config(), out });
    }
  }
}

async function trainWithFile(parts: TrainParts, argument: unknown): Promise<void> {
  const out = runsFolder(parts);
  const uri = argument instanceof vscode.Uri ? argument : vscode.window.activeTextEditor?.document.uri;
  if (uri?.scheme !== 'file' || !uri.path.endsWith('.fivecrop.json')) {
    throw userError(
      l10n.t('Open a .fivecrop.json file to train with it; Fivecrop: Train Model makes one with Edit Settings First.'),
    );
  }
  const document = await vscode.workspace.openTextDocument(uri);
  if (document.isDirty && !(await document.save())) throw cancelled();
  if (isSpace(document.getText())) return sweepWithFile(parts, uri.fsPath, document.getText());
  let config = parseTrainingConfig(document.getText(), uri.fsPath);
  const confirm = () =>
    confirmTraining(parts, {
      config,
      place: { title: basename(uri.fsPath), step: 1, totalSteps: 1 },
      canEdit: false,
      onChange: (changed) => (config = changed),
    });
  let answer = await confirm();
  for (; isLookAhead(answer); answer = await confirm())
    config = withRate(config, await lookAhead(parts, config, answer));
  if (answer === 'folder') await vscode.window.showTextDocument(document);
  if (answer !== 'start') return;
  await parts.dataFolders.remember(config.data);
  const name = runNameOf(uri.fsPath);
  await startOrQueue(parts, { config, out, ...(name === undefined ? {} : { name }) });
}
