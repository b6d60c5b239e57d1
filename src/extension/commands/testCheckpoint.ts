import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { splitNames, type SplitName } from '../../protocol/dataReport.ts';
import { cancelled } from '../../protocol/errors.ts';
import type { CropCount } from '../../protocol/serviceProtocol.ts';
import type { Parts } from '../parts.ts';
import { requireTrust } from '../requireTrust.ts';
import { checkpointMetadataIn, seesWholeImages } from '../../runs/checkpointFiles.ts';
import { chooseFolder } from './chooseFolder.ts';
import { checkpointFrom } from './checkpointFrom.ts';
import { registerCommand } from './registerCommand.ts';
import { visible } from '../../protocol/visibleText.ts';
import { imageCount } from '../counts.ts';

type TestParts = Pick<Parts, 'log' | 'runs' | 'panels'>;

/** *Test Checkpoint* and *Show Test Results*. */
export function registerTesting(parts: TestParts): vscode.Disposable {
  const { log, panels } = parts;
  return vscode.Disposable.from(
    registerCommand('fivecrop.testCheckpoint', log, async (argument: unknown) => {
      requireTrust('testing');
      const checkpoint = await checkpointFrom(parts, argument, {
        title: l10n.t('Test a checkpoint of which run?'),
        none: l10n.t('There is no checkpoint to test yet; train a model first with Fivecrop: Train Model.'),
      });
      const data = await dataFor(parts, checkpoint);
      const split = await chooseSplit(parts, checkpoint, data);
      panels.showEvaluation(checkpoint, { on: { data, split }, crops: await chooseCrops(checkpoint) });
    }),
    registerCommand('fivecrop.showTestResults', log, async (argument: unknown) => {
      panels.showEvaluation(
        await checkpointFrom(parts, argument, {
          title: l10n.t('Show the test results of which run?'),
          none: l10n.t(
            'There is no checkpoint to show the test results of yet; train a model first with Fivecrop: Train Model.',
          ),
        }),
      );
    }),
  );
}

function runOf({ runs }: TestParts, checkpoint: string) {
  return runs.get(dirname(dirname(checkpoint)));
}

/** The folder that the checkpoint was trained on, where it is still there; else the one that the user picks. */
async function dataFor(parts: TestParts, checkpoint: string): Promise<string> {
  await parts.runs.load();
  const record = runOf(parts, checkpoint)?.record;
  const known = record?.data?.data ?? (await checkpointMetadataIn(checkpoint))?.training.data;
  if (known !== undefined && existsSync(known)) return known;
  const folder = await chooseFolder({
    title: visible(
      known === undefined
        ? l10n.t('Test on which images?')
        : l10n.t('{0} no longer exists. Test on which images?', known),
    ),
    openLabel: l10n.t('Test on This Folder'),
  });
  if (folder === undefined) throw cancelled();
  return folder;
}

const splitTitles: Readonly<Record<SplitName, string>> = {
  train: l10n.t('images it was trained on'),
  valid: l10n.t('images by which the best checkpoint was chosen'),
  test: l10n.t('images it has never seen'),
};

/** The split with images to test on; a question where the choice is not plain. */
async function chooseSplit(parts: TestParts, checkpoint: string, data: string): Promise<SplitName> {
  const report = runOf(parts, checkpoint)?.record.data;
  const images = report?.data === data ? report.images : undefined;
  const order: SplitName[] = ['test', 'valid', 'train'];
  const items = order
    .filter((split) => images === undefined || images[split] > 0)
    .map((split) => ({
      label: split,
      description: [...(images ? [imageCount(images[split])] : []), splitTitles[split]].join(', '),
    }));
  const title = visible(l10n.t('Test on which images of {0}?', data));
  const chosen = await vscode.window.showQuickPick(items, { title, ignoreFocusOut: true });
  const split = splitNames.find((name) => name === chosen?.label);
  if (!split) throw cancelled();
  return split;
}

/** Nothing is asked of a network that sees whole images. */
async function chooseCrops(checkpoint: string): Promise<readonly CropCount[]> {
  if (await seesWholeImages(checkpoint)) return [1];
  const items: (vscode.QuickPickItem & { crops: readonly CropCount[] })[] = [
    { label: l10n.t('Center crop and five crops'), description: l10n.t('shows what five crops gain'), crops: [1, 5] },
    { label: l10n.t('Center crop'), description: l10n.t('fastest'), crops: [1] },
    { label: l10n.t('Five crops'), description: l10n.t('the mean of the center and the corners'), crops: [5] },
  ];
  const title = l10n.t('Test with how many crops?');
  const chosen = await vscode.window.showQuickPick(items, { title, ignoreFocusOut: true });
  if (!chosen) throw cancelled();
  return chosen.crops;
}
