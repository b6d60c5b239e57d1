import { basename, dirname } from 'node:path';
import * as vscode from 'vscode';
import type { NetworkOffer } from '../../protocol/serviceProtocol.ts';
import type { Parts } from '../parts.ts';
import type { DataFolders } from '../trainer/dataFolders.ts';
import { findDataSets } from '../views/listData.ts';
import { drawSample } from './drawSample.ts';
import { askLine, pickItem } from './quickQuestions.ts';
import { back, type Place, runSteps, type Step } from './runSteps.ts';
import { describeOffer, methodsFor, methodTexts, presetNames, type TrainingChoices } from './trainingChoices.ts';
import { inLabel } from '../plainText.ts';

export interface AskParts extends Pick<Parts, 'service'> {
  readonly dataFolders: DataFolders;
  readonly title: string;
  readonly offers: Promise<readonly NetworkOffer[]>;
}

type Answer = Promise<TrainingChoices | typeof back | undefined>;

/** The questions that end in *Start*: six with it. */
const totalSteps = 6;

/**
 * Asks for folder, network, method, epochs and batch. With `folder` that question is left out; with `last` only the last
 * question is open at first, and *Back* leads to those before it.
 */
export async function askTrainingChoices(
  parts: AskParts,
  first: TrainingChoices,
  from: { readonly folder?: string | undefined; readonly last?: boolean },
): Promise<TrainingChoices> {
  const start = from.folder === undefined ? first : { ...first, data: from.folder };
  const questions: Step<TrainingChoices>[] = [
    (choices, place) => (from.folder === undefined ? askData(parts, choices, place) : Promise.resolve(undefined)),
    (choices, place) => askNetwork(parts, choices, place),
    askMethod,
    askEpochs,
    askBatch,
  ];
  const steps = questions.map(
    (ask): Step<TrainingChoices> =>
      (choices, place) =>
        ask(choices, { ...place, totalSteps }),
  );
  return runSteps(parts.title, start, steps, from.last === true ? steps.length - 1 : 0);
}

interface DataItem extends vscode.QuickPickItem {
  readonly folder?: string;
  readonly does?: 'choose' | 'draw';
}

async function askData(parts: AskParts, choices: TrainingChoices, place: Place): Answer {
  const picked = await pickItem<DataItem>({
    place,
    placeholder: 'Which images? A folder with train, valid and test, or with one folder a class',
    items: async (show) => {
      const used = parts.dataFolders.all();
      const others: DataItem[] = [
        { label: '$(folder-opened) Choose a Folder...', does: 'choose', alwaysShow: true },
        { label: '$(sparkle) Draw a Sample Data Set...', does: 'draw', alwaysShow: true },
      ];
      show([...used.map(folderItem), ...others]);
      const found = (await findData()).filter((folder) => !used.includes(folder));
      show([...used.map(folderItem), ...found.map(folderItem), ...others]);
    },
    active: ({ folder }) => folder === choices.data,
  });
  if (picked === back) return back;
  const folder = picked.folder ?? (picked.does === 'draw' ? await drawSample(parts) : await openFolder());
  return folder === undefined ? askData(parts, choices, place) : { ...choices, data: folder };
}

function folderItem(folder: string): DataItem {
  const isInWorkspace = vscode.workspace.getWorkspaceFolder(vscode.Uri.file(folder)) !== undefined;
  const parent = dirname(isInWorkspace ? vscode.workspace.asRelativePath(folder) : folder);
  return {
    label: `$(folder) ${inLabel(basename(folder))}`,
    description: parent === '.' ? '' : inLabel(parent),
    folder,
  };
}

/** Folders of the workspace that look like data: itself, its children and theirs. */
async function findData(): Promise<readonly string[]> {
  const roots = (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file');
  return (await Promise.all(roots.map(({ uri }) => findDataSets(uri.fsPath, 2)))).flat();
}

async function openFolder(): Promise<string | undefined> {
  const chosen = await vscode.window.showOpenDialog({
    canSelectFolders: true,
    canSelectFiles: false,
    openLabel: 'Train on This Folder',
  });
  return chosen?.[0]?.fsPath;
}

interface NetworkItem extends vscode.QuickPickItem {
  readonly network?: TrainingChoices['network'];
}

async function askNetwork(parts: AskParts, choices: TrainingChoices, place: Place): Answer {
  const picked = await pickItem<NetworkItem>({
    place,
    placeholder: 'Which network?',
    items: async (show) => {
      const offers = await parts.offers;
      show([...offers.map(networkItem), ...onnxItems(choices)]);
    },
    active: ({ network }) => isSame(network, choices.network),
  });
  if (picked === back) return back;
  const network = picked.network ?? (await askBackbone(place));
  // Nothing chosen, or back from what a file expects: the list again.
  if (network === undefined || network === back) return askNetwork(parts, choices, place);
  const methods = methodsFor(network);
  const method = methods.includes(choices.method) ? choices.method : (methods[0] ?? 'head');
  return { ...choices, network, method };
}

function networkItem(offer: NetworkOffer): NetworkItem {
  const { name, title, weightsBytes } = offer;
  const network = { kind: 'architecture' as const, name, pretrained: weightsBytes !== undefined };
  return { label: title, ...describeOffer(offer), network };
}

function onnxItems({ network }: TrainingChoices): NetworkItem[] {
  const separator = { label: 'ONNX', kind: vscode.QuickPickItemKind.Separator };
  const choose = {
    label: '$(file-binary) An ONNX File as Backbone...',
    detail: 'Frozen; a new head is trained on its features.',
  };
  if (network.kind !== 'backbone') return [separator, choose];
  const { file, preprocess } = network;
  return [
    separator,
    { label: inLabel(basename(file)), description: preprocess, detail: inLabel(file), network },
    choose,
  ];
}

function isSame(a: TrainingChoices['network'] | undefined, b: TrainingChoices['network']): boolean {
  if (a?.kind === 'architecture') return b.kind === 'architecture' && a.name === b.name;
  return a?.kind === 'backbone' && b.kind === 'backbone' && a.file === b.file;
}

interface PresetItem extends vscode.QuickPickItem {
  readonly name: (typeof presetNames)[number];
}

const presets = {
  imagenet: 'From 0 to 1, less ImageNet’s mean, by its deviation: torchvision, timm, most others.',
  tf: 'From -1 to 1: TensorFlow’s MobileNet and Inception.',
  'caffe-bgr': 'From 0 to 255, less the mean, blue first: networks from Caffe.',
} as const;

async function askBackbone(place: Place): Promise<TrainingChoices['network'] | typeof back | undefined> {
  const chosen = await vscode.window.showOpenDialog({
    canSelectFiles: true,
    filters: { ONNX: ['onnx'] },
    openLabel: 'Use as Backbone',
  });
  const file = chosen?.[0]?.fsPath;
  if (file === undefined) return undefined;
  const picked = await pickItem<PresetItem>({
    place: { ...place, title: basename(file) },
    placeholder: 'How does it expect its pixels?',
    items: (show) => {
      show(presetNames.map((name) => ({ label: name, detail: presets[name], name })));
      return Promise.resolve();
    },
  });
  return picked === back ? back : { kind: 'backbone', file, preprocess: picked.name };
}

interface MethodItem extends vscode.QuickPickItem {
  readonly name: TrainingChoices['method'];
}

async function askMethod(choices: TrainingChoices, place: Place): Answer {
  const methods = methodsFor(choices.network);
  if (methods.length === 1) return undefined;
  const picked = await pickItem<MethodItem>({
    place,
    placeholder: 'What is trained?',
    items: (show) => {
      const order = (['head', 'full', 'top', 'scratch'] as const).filter((name) => methods.includes(name));
      show(order.map((name) => ({ label: methodTexts[name][0], detail: methodTexts[name][1], name })));
      return Promise.resolve();
    },
    active: ({ name }) => name === choices.method,
  });
  if (picked === back) return back;
  if (picked.name !== 'top') return { ...choices, method: picked.name };
  const count = await askNumber(place, 'How many parameter tensors, counted from the end, the head’s included?', {
    value: choices.topTensors,
    most: 10_000,
  });
  return count === back ? askMethod(choices, place) : { ...choices, method: picked.name, topTensors: count };
}

async function askEpochs(choices: TrainingChoices, place: Place): Answer {
  const epochs = await askNumber(place, 'How many epochs, passes over the training images?', {
    value: choices.epochs,
    most: 100_000,
  });
  return epochs === back ? back : { ...choices, epochs };
}

async function askBatch(choices: TrainingChoices, place: Place): Answer {
  const batchSize = await askNumber(place, 'How many images a step? It is halved by itself where memory is short.', {
    value: choices.batchSize,
    most: 4096,
  });
  return batchSize === back ? back : { ...choices, batchSize };
}

async function askNumber(
  place: Place,
  prompt: string,
  { value, most }: { readonly value: number; readonly most: number },
): Promise<number | typeof back> {
  const answer = await askLine({
    place,
    prompt,
    value: String(value),
    validate: (text) =>
      /^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= most
        ? undefined
        : `A whole number from 1 to ${most.toLocaleString('en')}.`,
  });
  return answer === back ? back : Number(answer);
}
