import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { preprocessPresets, type PreprocessPreset } from '../../protocol/preprocessing.ts';
import type { ClassifierSource, NetworkOffer } from '../../protocol/serviceProtocol.ts';
import { megabytesText } from '../commands/networkTexts.ts';
import { obtainWeightsOf } from '../commands/obtainWeights.ts';
import type { Parts } from '../parts.ts';
import { answerOf } from '../service/answerOf.ts';
import { readSettings } from '../settings.ts';
import { listRunCheckpoints } from '../../runs/checkpointFiles.ts';
import { checkpointDescription, percent } from '../views/formatRun.ts';
import { inLabel, inMessage } from '../plainText.ts';
import { visible } from '../../protocol/visibleText.ts';
import { runTitle } from '../../protocol/runTitle.ts';

interface SourceItem extends vscode.QuickPickItem {
  /** Undefined for a separator, and if there is nothing to choose from. */
  readonly choose?: () => Promise<ClassifierSource | undefined>;
}

/**
 * Asks for a classifier: a checkpoint of a run, a pretrained network, or a file. Undefined if the user chooses none.
 */
export async function chooseSource({ runs, service }: Pick<Parts, 'runs' | 'service'>) {
  await runs.load();
  const title = l10n.t('Choose a classifier');
  const items: SourceItem[] = [
    ...runs.runs.flatMap((run) => runItem(run.folder, runTitle(run.record.name))),
    { label: '', kind: vscode.QuickPickItemKind.Separator },
    {
      label: l10n.t('Pretrained network...'),
      description: l10n.t('ImageNet’s 1000 classes'),
      iconPath: new vscode.ThemeIcon('globe'),
      choose: () => choosePretrained(service),
    },
    {
      label: l10n.t('Checkpoint file...'),
      description: l10n.t('.safetensors, or .pth of the report’s script'),
      iconPath: new vscode.ThemeIcon('file'),
      choose: chooseCheckpointFile,
    },
    {
      label: l10n.t('ONNX file...'),
      description: l10n.t('its own classes'),
      iconPath: new vscode.ThemeIcon('file-binary'),
      choose: chooseOnnxFile,
    },
  ];
  const chosen = await vscode.window.showQuickPick(items, { title, matchOnDescription: true, ignoreFocusOut: true });
  return chosen?.choose?.();
}

function runItem(folder: string, name: string): SourceItem[] {
  const choose = () => chooseCheckpointOf(folder, name);
  return [{ label: inLabel(name), iconPath: new vscode.ThemeIcon('graph-line'), choose }];
}

async function chooseCheckpointOf(folder: string, name: string): Promise<ClassifierSource | undefined> {
  const path = await chooseRunCheckpoint(folder, name);
  return path === undefined ? undefined : { kind: 'checkpoint', path };
}

/** Asks which checkpoint of a run; a run's only one is taken without a question. */
export async function chooseRunCheckpoint(folder: string, name: string): Promise<string | undefined> {
  const checkpoints = await listRunCheckpoints(folder);
  if (checkpoints.length === 0) {
    void vscode.window.showInformationMessage(
      inMessage(l10n.t('{0} has no checkpoint yet. It saves one at its first validation.', name)),
    );
    return undefined;
  }
  if (checkpoints.length === 1) return checkpoints[0]?.path;
  const items = checkpoints.map(({ path, name: label, metadata }) => ({
    label: inLabel(label),
    description: checkpointDescription(metadata),
    path,
  }));
  const title = visible(l10n.t('Choose a checkpoint of {0}', name));
  return (await vscode.window.showQuickPick(items, { title, ignoreFocusOut: true }))?.path;
}

async function choosePretrained(service: Parts['service']): Promise<ClassifierSource | undefined> {
  const { weightsFolder } = readSettings();
  const request = { type: 'networks' as const, ...(weightsFolder === undefined ? {} : { weightsFolder }) };
  const items = answerOf(service, request, 'networks').then(({ networks }) =>
    networks.filter(({ top1 }) => top1 !== undefined).map(networkItem),
  );
  const chosen = await vscode.window.showQuickPick(items, {
    title: l10n.t('Choose a pretrained network'),
    ignoreFocusOut: true,
  });
  if (chosen === undefined) return undefined;
  await obtainWeightsOf(service, chosen.name);
  return { kind: 'architecture', name: chosen.name };
}

function networkItem({ name, title, top1 = 0, weightsBytes = 0, weightsHere }: NetworkOffer) {
  const weights = weightsHere
    ? l10n.t('weights on this machine')
    : l10n.t('{0} to download', megabytesText(weightsBytes));
  return { label: title, description: l10n.t('{0} on ImageNet · {1}', percent(top1), weights), name };
}

async function chooseFile(filters: Record<string, string[]>, title: string): Promise<string | undefined> {
  const [file] =
    (await vscode.window.showOpenDialog({ filters, title, openLabel: l10n.t('Classify with This File') })) ?? [];
  return file?.fsPath;
}

async function chooseCheckpointFile(): Promise<ClassifierSource | undefined> {
  const path = await chooseFile({ Checkpoints: ['safetensors', 'pth', 'pt'] }, l10n.t('Choose a checkpoint file'));
  return path === undefined ? undefined : { kind: 'checkpoint', path };
}

const presetTitles: Readonly<Record<PreprocessPreset, string>> = {
  imagenet: l10n.t('0 to 1, ImageNet’s mean and deviation: torchvision, timm'),
  tf: l10n.t('-1 to 1: TensorFlow’s MobileNet and Inception'),
  'caffe-bgr': l10n.t('0 to 255, blue first, minus the mean: Caffe'),
};

async function chooseOnnxFile(): Promise<ClassifierSource | undefined> {
  const path = await chooseFile({ ONNX: ['onnx'] }, l10n.t('Choose an ONNX file'));
  if (path === undefined) return undefined;
  const presets = Object.keys(preprocessPresets) as PreprocessPreset[];
  const items = presets.map((preset) => ({ label: preset, description: presetTitles[preset], preset }));
  const chosen = await vscode.window.showQuickPick(items, {
    title: l10n.t('Choose input normalization'),
    ignoreFocusOut: true,
  });
  return chosen && { kind: 'backbone', path, preprocess: chosen.preset };
}
