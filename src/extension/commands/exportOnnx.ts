import { basename, dirname, join } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { cancelled } from '../../protocol/errors.ts';
import { readCheckpointMetadata } from '../../runs/checkpointHeader.ts';
import { checkpointTitle } from '../panels/checkpointTitle.ts';
import type { Parts } from '../parts.ts';
import { withProgress } from '../service/showProgress.ts';
import { requireTrust } from '../requireTrust.ts';
import { checkpointFrom } from './checkpointFrom.ts';
import { registerCommand } from './registerCommand.ts';
import { inMessage } from '../plainText.ts';
import { visible } from '../../protocol/visibleText.ts';

/** *Export to ONNX*. */
export function registerExporting(parts: Pick<Parts, 'log' | 'runs' | 'service'>): vscode.Disposable {
  const { log, service } = parts;
  return registerCommand('fivecrop.exportOnnx', log, async (argument: unknown) => {
    requireTrust('exporting');
    const checkpoint = await checkpointFrom(parts, argument, {
      title: l10n.t('Export a checkpoint of which run?'),
      none: l10n.t('There is no checkpoint to export yet; train a model first with Fivecrop: Train Model.'),
    });
    const target = await vscode.window.showSaveDialog({
      defaultUri: vscode.Uri.file(join(dirname(checkpoint), '..', onnxName(checkpoint))),
      filters: { ONNX: ['onnx'] },
      title: visible(l10n.t('Export {0}', checkpointTitle(checkpoint))),
    });
    if (!target) throw cancelled();
    const output = target.fsPath;
    await withProgress(l10n.t('Exporting {0}', basename(output)), (call) =>
      service.request({ type: 'export', checkpoint, output }, call),
    );
    const reveal = l10n.t('Reveal');
    const { licence } = await readCheckpointMetadata(checkpoint);
    const exported = l10n.t(
      '{0} runs in any ONNX Runtime; labels and preprocessing are in its metadata.',
      inMessage(basename(output)),
    );
    const terms =
      licence === undefined
        ? []
        : [
            l10n.t(
              'The weights that it started from are under the license {0}; its terms apply to this file too.',
              inMessage(licence),
            ),
          ];
    const message = [exported, ...terms].join(' ');
    if ((await vscode.window.showInformationMessage(message, reveal)) === reveal) {
      await vscode.commands.executeCommand('revealInExplorer', target);
    }
  });
}

function onnxName(checkpoint: string): string {
  return `${checkpointTitle(checkpoint).replace(/,\s*/g, '-')}.onnx`;
}
