import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { cancelled } from '../../protocol/errors.ts';
import { chooseImages } from '../panels/predictionMessages.ts';
import type { Parts } from '../parts.ts';
import { requireTrust } from '../requireTrust.ts';
import { nodeFrom } from '../views/treeNodes.ts';
import { checkpointFrom } from './checkpointFrom.ts';
import { registerCommand } from './registerCommand.ts';

type ClassifyParts = Pick<Parts, 'log' | 'runs' | 'panels'>;

/** *Classify Image* and *Classify with This Checkpoint*. */
export function registerClassifying(parts: ClassifyParts): vscode.Disposable {
  const { log, panels } = parts;
  return vscode.Disposable.from(
    registerCommand('fivecrop.classifyImage', log, async (argument: unknown, selection: unknown) => {
      requireTrust('classifying');
      panels.showPredictions(await imagesFrom(argument, selection));
    }),
    registerCommand('fivecrop.classifyWithCheckpoint', log, async (argument: unknown) => {
      requireTrust('classifying');
      const path = await checkpointFrom(parts, argument, {
        title: l10n.t('Classify with a checkpoint of which run?'),
        none: l10n.t('There is no checkpoint to classify with yet; train a model first with Fivecrop: Train Model.'),
      });
      panels.showPredictions(await imagesFrom(undefined, undefined), { kind: 'checkpoint', path });
    }),
  );
}

/**
 * What a command was called on: what is selected in the explorer or in the view of data, the image of the editor; else
 * what the user picks. Throws a cancellation where that is nothing.
 */
async function imagesFrom(argument: unknown, selection: unknown): Promise<string[]> {
  const several = Array.isArray(selection) && selection.length > 0 ? (selection as unknown[]) : [argument];
  const named = several.flatMap(pathOf);
  const images = named.length > 0 ? named : await chooseImages();
  if (images.length === 0) throw cancelled();
  return images;
}

function pathOf(argument: unknown): string[] {
  if (argument instanceof vscode.Uri) return argument.scheme === 'file' ? [argument.fsPath] : [];
  const node = nodeFrom(argument);
  if (node?.kind === 'image') return [node.path];
  return node?.kind === 'class' ? [node.folder] : [];
}
