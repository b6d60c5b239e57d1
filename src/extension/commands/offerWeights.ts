import { mkdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { messageOf, userError } from '../../protocol/errors.ts';
import type { Parts } from '../parts.ts';
import { inMessage } from '../plainText.ts';
import { answerOf } from '../service/answerOf.ts';
import { readSettings, updateSetting } from '../settings.ts';

/** What can be done where pretrained weights cannot be had, as rows are labelled. */
export const weightsActions = {
  retry: l10n.t('Try Again'),
  openFolder: l10n.t('Open Weights Folder'),
  setMirror: l10n.t('Set Mirror...'),
  without: l10n.t('Train Without Pretrained Weights'),
} as const;

/** The same as buttons of a notification, which has room for four short ones. */
const toastLabels = {
  ...weightsActions,
  openFolder: l10n.t('Open Folder'),
  without: l10n.t('Train Without'),
} as const;

/**
 * Says in a notification why pretrained weights cannot be had and offers what can be done. It comes again after the folder
 * was opened and where no mirror was set. Undefined if the user closes it. *Train Without Pretrained Weights* is offered if
 * there is something to train without them.
 */
export async function offerWeights(
  service: Parts['service'],
  reason: string,
  canGoWithout: boolean,
): Promise<'retry' | 'without' | undefined> {
  const { retry, openFolder, setMirror, without } = toastLabels;
  const actions = [retry, openFolder, setMirror, ...(canGoWithout ? [without] : [])];
  // What to do about it is on the buttons; with that in words a narrow window cuts them off.
  const message = inMessage(reason);
  for (;;) {
    const answer = await vscode.window.showErrorMessage(message, ...actions);
    if (answer === openFolder) await openWeightsFolder(service);
    else if (answer === setMirror) {
      if (await askForMirror()) return 'retry';
    } else if (answer === without) return 'without';
    else return answer === retry ? 'retry' : undefined;
  }
}

/** Opens the folder where pretrained weights are looked for: in the system's file manager, or, where there is none, in a window. */
export async function openWeightsFolder(service: Parts['service']): Promise<void> {
  const { weightsFolder } = readSettings();
  const request = { type: 'networks' as const, ...(weightsFolder === undefined ? {} : { weightsFolder }) };
  const { weightsFolder: folder } = await answerOf(service, request, 'networks');
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw userError(
      l10n.t(
        'The weights folder {0} cannot be made: {1}; choose another (fivecrop.weightsFolder).',
        folder,
        messageOf(error),
      ),
    );
  }
  const uri = vscode.Uri.file(folder);
  // A browser, or a window on another machine, has no file manager that sees the folder.
  const isDesktop = vscode.env.uiKind === vscode.UIKind.Desktop && vscode.env.remoteName === undefined;
  if (isDesktop) await vscode.env.openExternal(uri);
  else await vscode.commands.executeCommand('vscode.openFolder', uri, { forceNewWindow: true });
}

/** Asks for the mirror of pretrained weights and sets it. Whether one was given. */
export async function askForMirror(): Promise<boolean> {
  const mirror = await vscode.window.showInputBox({
    ignoreFocusOut: true,
    title: l10n.t('Set Mirror for Pretrained Weights'),
    prompt: l10n.t(
      'A folder, or an http or https address, that has the files under their names. Empty: their own servers.',
    ),
    placeHolder: 'https://example.org/weights',
    value: vscode.workspace.getConfiguration('fivecrop').get('weightsMirror', ''),
    validateInput: mirrorProblem,
  });
  if (mirror === undefined) return false;
  await updateSetting('weightsMirror', mirror.trim());
  return true;
}

async function mirrorProblem(value: string): Promise<string | undefined> {
  const mirror = value.trim();
  if (mirror === '') return undefined;
  if (/^[a-z][a-z+.-]+:\/\//i.test(mirror)) {
    return /^https?:\/\//i.test(mirror) && URL.canParse(mirror)
      ? undefined
      : l10n.t('An address that begins with https:// or http://.');
  }
  const folder = mirror.replace(/^~(?=$|\/)/, homedir());
  const there = await stat(folder).catch(() => undefined);
  return there?.isDirectory() === true ? undefined : inMessage(l10n.t('There is no folder {0}.', folder));
}
