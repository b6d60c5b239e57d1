import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { cancelled } from '../../protocol/errors.ts';
import {
  besideOnnx,
  type ExportFormat,
  exportFormatNames,
  exportFormats,
  type ExportWishes,
} from '../../protocol/exportWishes.ts';
import { readCheckpointMetadata } from '../../runs/checkpointHeader.ts';
import { checkpointTitle } from '../panels/checkpointTitle.ts';
import type { ServiceAnswerBody } from '../../protocol/serviceProtocol.ts';
import type { Parts } from '../parts.ts';
import { answerOf } from '../service/answerOf.ts';
import { withProgress } from '../service/showProgress.ts';
import { requireTrust } from '../requireTrust.ts';
import { checkpointFrom } from './checkpointFrom.ts';
import { freeName, newFolderProblem, workspaceRoot } from './newFolder.ts';
import { registerCommand } from './registerCommand.ts';
import { inMessage } from '../plainText.ts';
import { visible } from '../../protocol/visibleText.ts';

/** *Export Model*. */
export function registerExporting(parts: Pick<Parts, 'log' | 'runs' | 'service'>): vscode.Disposable {
  const { log, service } = parts;
  return registerCommand('fivecrop.exportModel', log, async (argument: unknown) => {
    requireTrust('exporting');
    const checkpoint = await checkpointFrom(parts, argument, {
      title: l10n.t('Export a checkpoint of which run?'),
      none: l10n.t('There is no checkpoint to export yet; train a model first with Fivecrop: Train Model.'),
    });
    const wishes = await askWishes(checkpointTitle(checkpoint));
    const output = await (exportFormats[wishes.format].isFile ? askFile : askFolder)(checkpoint, wishes.format);
    await askToReplace(output, wishes);
    const facts = await withProgress(l10n.t('Exporting {0}', basename(output)), (call) =>
      answerOf(service, { type: 'export', checkpoint, output, ...wishes }, 'exported', call),
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
    const name = inMessage(basename(output));
    const message = [writtenText(name, wishes.format, facts), ...factTexts(facts), ...terms].join(' ');
    if ((await vscode.window.showInformationMessage(message, reveal)) === reveal) {
      await vscode.commands.executeCommand('revealInExplorer', vscode.Uri.file(output));
    }
  });
}

type ChosenWishes = ExportWishes & { readonly format: ExportFormat };
type WishItem = vscode.QuickPickItem & { readonly wishes: ExportWishes };

/** What is offered of each format. */
const offers: Readonly<Record<ExportFormat, () => readonly WishItem[]>> = {
  onnx: () => [
    {
      label: l10n.t('Images of any size'),
      detail: l10n.t(
        'Resize, five crops and probabilities are in the file, and small copies of validation images to test it with.',
      ),
      wishes: {},
    },
    {
      label: l10n.t('Images of any size, with programs'),
      detail: l10n.t('The same, with its labels and programs for Python, Node and a browser beside it.'),
      wishes: { scripts: true },
    },
    {
      label: l10n.t('Images of any size, nothing of the data'),
      detail: l10n.t('The same file, tested with drawn images.'),
      wishes: { imagesOfData: false },
    },
    {
      label: l10n.t('Images of any size, half the file (float16)'),
      detail: l10n.t('The same with weights in 16 bits; the accuracy is measured.'),
      wishes: { precision: 'float16' },
    },
    {
      label: l10n.t('Images of any size, 8 bits (int8)'),
      detail: l10n.t('The same with convolutions in 8 bits; the accuracy is measured.'),
      wishes: { precision: 'int8' },
    },
    {
      label: l10n.t('Normalized images'),
      detail: l10n.t('The network alone, for programs that resize, crop and normalize themselves.'),
      wishes: { input: 'normalized' },
    },
  ],
  pth: () => [
    {
      label: l10n.t('Weights for torch (*.pth)'),
      detail: l10n.t('A state dict under the names of torchvision or timm, for torch.load.'),
      wishes: {},
    },
  ],
  timm: () => [
    {
      label: l10n.t('Folder for timm and transformers'),
      detail: l10n.t('Weights, configuration and a model card, as model hubs have them.'),
      wishes: {},
    },
  ],
  tfjs: () => [
    {
      label: l10n.t('Folder for TensorFlow.js'),
      detail: l10n.t(
        'A graph model with a module and a page that classify images in a browser, and small copies of validation images to test it with.',
      ),
      wishes: {},
    },
    {
      label: l10n.t('Folder for TensorFlow.js, nothing of the data'),
      detail: l10n.t('The same, tested with drawn images.'),
      wishes: { imagesOfData: false },
    },
  ],
};

const separators: Readonly<Record<ExportFormat, string>> = {
  onnx: 'ONNX',
  pth: 'PyTorch',
  timm: 'timm, transformers',
  tfjs: 'TensorFlow.js',
};

/** What is to be written: one question. */
async function askWishes(title: string): Promise<ChosenWishes> {
  const items = exportFormatNames.flatMap((format) => [
    { label: separators[format], kind: vscode.QuickPickItemKind.Separator },
    ...offers[format]().map((item) => ({ ...item, format })),
  ]);
  const options = { title: visible(l10n.t('Export {0}: as what?', title)), ignoreFocusOut: true, matchOnDetail: true };
  const chosen = await vscode.window.showQuickPick(items, options);
  if (!chosen || !('wishes' in chosen)) throw cancelled();
  return { ...chosen.wishes, format: chosen.format };
}

async function askFile(checkpoint: string, format: ExportFormat): Promise<string> {
  const target = await vscode.window.showSaveDialog({
    defaultUri: vscode.Uri.file(join(dirname(checkpoint), '..', `${stemOf(checkpoint)}.${format}`)),
    filters: { [separators[format]]: [format] },
    title: visible(l10n.t('Export {0}', checkpointTitle(checkpoint))),
  });
  if (!target) throw cancelled();
  return target.fsPath;
}

async function askFolder(checkpoint: string, format: ExportFormat): Promise<string> {
  const root = workspaceRoot(l10n.t('Open a folder first: the export is written into it.'));
  const name = await vscode.window.showInputBox({
    ignoreFocusOut: true,
    title: visible(l10n.t('Export {0}', checkpointTitle(checkpoint))),
    prompt: inMessage(l10n.t('A new folder in {0}', root)),
    value: freeName(root, `${stemOf(checkpoint)}-${format}`),
    validateInput: (value) => newFolderProblem(root, value),
  });
  if (name === undefined) throw cancelled();
  return join(root, name);
}

/** The dialog asked for the file alone: what programs beside it would replace may have been changed by hand. */
async function askToReplace(output: string, { scripts }: ExportWishes): Promise<void> {
  const replaced = scripts === true ? Object.values(besideOnnx(output)).filter((file) => existsSync(file)) : [];
  if (replaced.length === 0) return;
  const question = inMessage(l10n.t('Replace {0}?', replaced.map((file) => basename(file)).join(', ')));
  const replace = l10n.t('Replace');
  const answer = await vscode.window.showWarningMessage(question, { modal: true }, replace);
  if (answer !== replace) throw cancelled();
}

type Exported = Extract<ServiceAnswerBody, { type: 'exported' }>;

/** What was written, and whether it was tested. */
function writtenText(name: string, format: ExportFormat, { tests, isVerified, files }: Exported): string {
  switch (format) {
    case 'onnx':
      if (isVerified && files.length > 1) {
        return l10n.t(
          '{0} runs in any ONNX Runtime and was verified by its {1} test images; programs for Python, Node and a browser lie beside it.',
          name,
          tests,
        );
      }
      return isVerified
        ? l10n.t('{0} runs in any ONNX Runtime and was verified by its {1} test images.', name, tests)
        : l10n.t('{0} runs in any ONNX Runtime; labels and preprocessing are in its metadata.', name);
    case 'pth':
      return l10n.t('{0} is a state dict for torch.load.', name);
    case 'timm':
      return l10n.t('{0} is a folder that timm and transformers load; its README.md shows how.', name);
    case 'tfjs':
      return l10n.t(
        '{0} is a folder for TensorFlow.js; its page index.html, on a web server, classifies images and runs its {1} test images.',
        name,
        tests,
      );
  }
}

function factTexts({ ofData, accuracy }: Exported): string[] {
  return [
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

function stemOf(checkpoint: string): string {
  return checkpointTitle(checkpoint).replace(/,\s*/g, '-');
}
