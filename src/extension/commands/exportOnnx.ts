import { basename, dirname, join } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { cancelled } from '../../protocol/errors.ts';
import { readCheckpointMetadata } from '../../runs/checkpointHeader.ts';
import { checkpointTitle } from '../panels/checkpointTitle.ts';
import type { ServiceAnswerBody, ServiceRequestBody } from '../../protocol/serviceProtocol.ts';
import type { Parts } from '../parts.ts';
import { answerOf } from '../service/answerOf.ts';
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
    const form = await askForm(checkpointTitle(checkpoint));
    const target = await vscode.window.showSaveDialog({
      defaultUri: vscode.Uri.file(join(dirname(checkpoint), '..', onnxName(checkpoint))),
      filters: { ONNX: ['onnx'] },
      title: visible(l10n.t('Export {0}', checkpointTitle(checkpoint))),
    });
    if (!target) throw cancelled();
    const output = target.fsPath;
    const facts = await withProgress(l10n.t('Exporting {0}', basename(output)), (call) =>
      answerOf(service, { type: 'export', checkpoint, output, ...form }, 'exported', call),
    );
    const reveal = l10n.t('Reveal');
    const { licence } = await readCheckpointMetadata(checkpoint);
    const terms =
      licence === undefined
        ? []
        : [
            l10n.t(
              'The weights that it started from are under the license {0}; its terms apply to this file too.',
              inMessage(licence),
            ),
          ];
    const message = [...exportedTexts(inMessage(basename(output)), facts), ...terms].join(' ');
    if ((await vscode.window.showInformationMessage(message, reveal)) === reveal) {
      await vscode.commands.executeCommand('revealInExplorer', target);
    }
  });
}

type ExportRequest = Extract<ServiceRequestBody, { type: 'export' }>;
type Form = Pick<ExportRequest, 'input' | 'precision' | 'crops' | 'ofData'>;

/** What the file is to take and hold: one question. */
async function askForm(title: string): Promise<Form> {
  const whole = { input: 'hwc', precision: 'float32', crops: 5, ofData: true } as const;
  const items: readonly (vscode.QuickPickItem & { readonly form: Form })[] = [
    {
      label: l10n.t('Images of any size'),
      detail: l10n.t(
        'Resize, five crops and probabilities are in the file, and small copies of validation images to test it with.',
      ),
      form: whole,
    },
    {
      label: l10n.t('Images of any size, nothing of the data'),
      detail: l10n.t('The same, tested with drawn images.'),
      form: { ...whole, ofData: false },
    },
    {
      label: l10n.t('Images of any size, half the file (float16)'),
      detail: l10n.t('The same with weights in 16 bits; the accuracy is measured.'),
      form: { ...whole, precision: 'float16' },
    },
    {
      label: l10n.t('Images of any size, 8 bits (int8)'),
      detail: l10n.t('The same with convolutions in 8 bits; the accuracy is measured.'),
      form: { ...whole, precision: 'int8' },
    },
    {
      label: l10n.t('Normalized images'),
      detail: l10n.t('The network alone, for programs that resize, crop and normalize themselves.'),
      form: { ...whole, input: 'normalized' },
    },
  ];
  const options = { title: visible(l10n.t('Export {0}: what goes in?', title)), ignoreFocusOut: true };
  const chosen = await vscode.window.showQuickPick(items, options);
  if (!chosen) throw cancelled();
  return chosen.form;
}

type Exported = Extract<ServiceAnswerBody, { type: 'exported' }>;

function exportedTexts(file: string, { tests, ofData, accuracy }: Exported): string[] {
  return [
    tests === 0
      ? l10n.t('{0} runs in any ONNX Runtime; labels and preprocessing are in its metadata.', file)
      : l10n.t('{0} runs in any ONNX Runtime and was verified by its {1} test images.', file, tests),
    ...(ofData > 0 ? [l10n.t('{0} of them are small copies of images of the data.', ofData)] : []),
    ...(accuracy
      ? [
          l10n.t(
            'Accuracy on {0} validation images: {1}, and {2} in float32.',
            accuracy.images,
            accuracy.exported.toFixed(3),
            accuracy.checkpoint.toFixed(3),
          ),
        ]
      : []),
  ];
}

function onnxName(checkpoint: string): string {
  return `${checkpointTitle(checkpoint).replace(/,\s*/g, '-')}.onnx`;
}
