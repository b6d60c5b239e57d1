import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { checkpointMetadataIn } from '../../runs/checkpointFiles.ts';
import type { Parts } from '../parts.ts';
import { requireTrust } from '../requireTrust.ts';
import type { DataFolders } from '../trainer/dataFolders.ts';
import { nodeFrom } from '../views/treeNodes.ts';
import { checkpointFrom } from './checkpointFrom.ts';
import { chooseData } from './chooseData.ts';
import { registerCommand } from './registerCommand.ts';

type MapParts = Pick<Parts, 'log' | 'panels' | 'runs'> & { readonly dataFolders: DataFolders };

/**
 * *Show Feature Map*: of a folder in the tree or the explorer, or of one that is asked for; for a checkpoint or a run, of the
 * folder that it was trained on, by its own features.
 */
export function registerShowFeatureMap(parts: MapParts): vscode.Disposable {
  const { log, panels, runs, dataFolders } = parts;
  return registerCommand('fivecrop.showFeatureMap', log, async (argument: unknown) => {
    requireTrust('checkingData');
    const node = nodeFrom(argument);
    if (argument instanceof vscode.Uri) await dataFolders.remember(argument.fsPath);
    await runs.load();
    if (node?.kind === 'checkpoint' || node?.kind === 'run') {
      const path = await checkpointFrom(parts, argument, noQuestion);
      panels.showFeatureMap(await dataOf(parts, path), { kind: 'checkpoint', path });
      return;
    }
    const named = argument instanceof vscode.Uri ? argument.fsPath : node?.kind === 'data' ? node.folder : undefined;
    panels.showFeatureMap(named ?? (await chooseData(mapQuestion, dataFolders.all())));
  });
}

const mapQuestion = l10n.t('Show the feature map of which folder?');
/** A row of the tree is about one run, so that nothing is asked. */
const noQuestion = { title: '', none: '' };

/** The folder that the checkpoint was trained on, where it is still there; else one that is asked for. */
async function dataOf({ runs, dataFolders }: MapParts, checkpoint: string): Promise<string> {
  const record = runs.get(dirname(dirname(checkpoint)))?.record;
  const known = record?.data?.data ?? (await checkpointMetadataIn(checkpoint))?.training.data;
  return known !== undefined && existsSync(known) ? known : chooseData(mapQuestion, dataFolders.all());
}
