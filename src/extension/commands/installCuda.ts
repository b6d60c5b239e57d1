import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { cancelled, userError } from '../../protocol/errors.ts';
import type { CudaOutlook } from '../../protocol/serviceProtocol.ts';
import type { Parts } from '../parts.ts';
import { inMessage } from '../plainText.ts';
import { answerOf } from '../service/answerOf.ts';
import { withProgress } from '../service/showProgress.ts';
import { megabytesText } from './networkTexts.ts';
import { registerCommand } from './registerCommand.ts';

type Offer = Extract<CudaOutlook, { state: 'offered' }>;

/** *Install CUDA Runtime*: CUDA's libraries into the extension's own storage, once their licences are accepted. */
export function registerInstallCuda({ log, service }: Pick<Parts, 'log' | 'service'>): vscode.Disposable {
  return registerCommand('fivecrop.installCuda', log, async () => {
    const look = { location: vscode.ProgressLocation.Window, title: l10n.t('Looking for an NVIDIA card') };
    const { cuda } = await vscode.window.withProgress(look, () =>
      answerOf(service, { type: 'cuda', action: 'look' }, 'cuda'),
    );
    switch (cuda.state) {
      case 'impossible':
        throw userError(l10n.t('CUDA cannot be used here: {0}.', cuda.reason));
      case 'here':
        return showDevicesAfter(l10n.t('CUDA Runtime is installed already. Show Devices says what it finds.'));
      case 'offered': {
        await askForLicences(cuda);
        const title = l10n.t('CUDA Runtime, {0} from {1}', megabytesText(cuda.bytes), cuda.source);
        await withProgress(title, (call) => answerOf(service, { type: 'cuda', action: 'install' }, 'cuda', call));
        return showDevicesAfter(l10n.t('CUDA Runtime is installed. Show Devices compares it with the CPU.'));
      }
    }
  });
}

/** *Remove CUDA Runtime*: deletes what *Install CUDA Runtime* installed or began to. */
export function registerRemoveCuda({ log, service }: Pick<Parts, 'log' | 'service'>): vscode.Disposable {
  return registerCommand('fivecrop.removeCuda', log, async () => {
    const { bytesOnDisk } = await answerOf(service, { type: 'cuda', action: 'look' }, 'cuda');
    if (bytesOnDisk === 0) throw userError(l10n.t('CUDA Runtime is not installed.'));
    const remove = l10n.t('Remove');
    const question = l10n.t('Remove CUDA Runtime?');
    const detail = l10n.t('This frees {0}. To use it again you have to download it again.', megabytesText(bytesOnDisk));
    if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, remove)) !== remove) return;
    await withProgress(l10n.t('Removing CUDA Runtime'), (call) =>
      answerOf(service, { type: 'cuda', action: 'remove' }, 'cuda', call),
    );
    void vscode.window.showInformationMessage(l10n.t('CUDA Runtime is removed.'));
  });
}

/** Shows what is downloaded under which licences, until they are accepted. Throws a cancellation otherwise. */
async function askForLicences({ bytes, unpackedBytes, source, licences }: Offer): Promise<void> {
  const accept = l10n.t('Accept and Install');
  const read = l10n.t('Read Licenses');
  const detail = [
    l10n.t(
      'This downloads {0} from {1} into Fivecrop’s own storage, where they take {2}. By installing them you accept their licenses:',
      megabytesText(bytes),
      source,
      megabytesText(unpackedBytes),
    ),
    ...licences.map(({ name, url }) => `${name} (${url})`),
  ].join('\n\n');
  const question = l10n.t('Install ONNX Runtime’s CUDA provider, and NVIDIA’s CUDA and cuDNN?');
  for (;;) {
    const answer = await vscode.window.showInformationMessage(question, { modal: true, detail }, accept, read);
    if (answer === accept) return;
    if (answer !== read) throw cancelled();
    for (const { url } of licences) await vscode.env.openExternal(vscode.Uri.parse(url, true));
  }
}

async function showDevicesAfter(message: string): Promise<void> {
  const show = l10n.t('Show Devices');
  if ((await vscode.window.showInformationMessage(inMessage(message), show)) === show) {
    await vscode.commands.executeCommand('fivecrop.showDevices');
  }
}
