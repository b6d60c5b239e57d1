import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import type { Cleaning } from '../../protocol/cleaning.ts';
import type { DataEdit } from '../../protocol/dataEdits.ts';
import { imageCount } from '../counts.ts';
import { inLabel } from '../plainText.ts';

type Classes = Cleaning['classes'];

/** Asks for a class; undefined if none is chosen. With `orNew` one can be named that is not there. */
async function askClass(title: string, classes: Classes, orNew = false): Promise<string | undefined> {
  const items = classes.map(({ folder, name, images }) => ({
    label: inLabel(name),
    description: inLabel([...(name === folder ? [] : [folder]), imageCount(images)].join(' · ')),
    folder,
  }));
  const another = { label: l10n.t('New class...'), iconPath: new vscode.ThemeIcon('add'), folder: undefined };
  const chosen = await vscode.window.showQuickPick([...items, ...(orNew ? [another] : [])], {
    title,
    matchOnDescription: true,
  });
  if (!chosen || chosen.folder !== undefined) return chosen?.folder;
  return askName(l10n.t('Name of the new class'), '');
}

async function askName(title: string, value: string): Promise<string | undefined> {
  const validateInput = (name: string) => (name.trim() === '' ? l10n.t('A class needs a name.') : undefined);
  return (await vscode.window.showInputBox({ title, value, validateInput }))?.trim();
}

/** Asks which class an image is of. */
export function askOtherClass(classes: Classes): Promise<string | undefined> {
  return askClass(l10n.t('Which class is it?'), classes, true);
}

/** Asks which class to rename, and how. */
export async function askRenamedClass(classes: Classes): Promise<DataEdit | undefined> {
  const from = await askClass(l10n.t('Rename which class?'), classes);
  if (from === undefined) return undefined;
  const to = await askName(l10n.t('New name of the class; checkpoints know it by its old one'), from);
  return to === undefined || to === from ? undefined : { kind: 'rename', from, to };
}

/** Asks which class to merge into which. */
export async function askMergedClasses(classes: Classes): Promise<DataEdit | undefined> {
  const from = await askClass(l10n.t('Merge which class?'), classes);
  if (from === undefined) return undefined;
  const others = classes.filter(({ folder }) => folder !== from);
  const to = await askClass(l10n.t('Merge it into which class?'), others);
  return to === undefined ? undefined : { kind: 'merge', from, to };
}
