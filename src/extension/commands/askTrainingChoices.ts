import { basename, dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import type { NetworkOffer } from '../../protocol/serviceProtocol.ts';
import type { Parts } from '../parts.ts';
import { inLabel } from '../plainText.ts';
import { answerOf } from '../service/answerOf.ts';
import type { DataFolders } from '../trainer/dataFolders.ts';
import type { SpeedMemory } from '../trainer/speedMemory.ts';
import { findDataSets } from '../views/listData.ts';
import { chooseFolder } from './chooseFolder.ts';
import { checkRequest } from './confirmTraining.ts';
import { drawSampleHere } from './drawSample.ts';
import { isSameNetwork, networkItems, type NetworkItem, type SecondsPerEpoch } from './networkList.ts';
import { askLine, pickItem } from './quickQuestions.ts';
import { back, type QuestionPlace, placeAfter, runSteps, type Step } from './runSteps.ts';
import { readSampleSettings } from './sampleSettings.ts';
import {
  choicesFor,
  configFrom,
  type FirstSettings,
  type MachineSettings,
  methodsFor,
  methodTexts,
  presetNames,
  runnableNow,
  type TrainingChoices,
} from './trainingChoices.ts';

export interface AskParts extends Pick<Parts, 'service'> {
  readonly dataFolders: DataFolders;
  readonly speeds: Pick<SpeedMemory, 'imagesPerSecond'>;
  readonly title: string;
  readonly offers: Promise<readonly NetworkOffer[]>;
  readonly settings: FirstSettings & MachineSettings;
}

interface Asked {
  readonly choices: TrainingChoices;
  /** Of the last question, which comes after these. */
  readonly place: QuestionPlace;
}

type Answer = Promise<TrainingChoices | typeof back>;

/**
 * Asks for folder, network, method, epochs and batch. With `folder` that question is left out; with `last` only the last
 * question is open at first, and *Back* leads to those before it. Whoever has a sample drawn is asked nothing more: its
 * settings suit it.
 */
export async function askTrainingChoices(
  parts: AskParts,
  first: TrainingChoices,
  from: { readonly folder?: string | undefined; readonly last?: boolean },
): Promise<Asked> {
  let isDrawn = false;
  const askForData = async (choices: TrainingChoices, place: QuestionPlace): Answer => {
    const answer = await askData(parts, choices, place);
    if (answer === back) return back;
    isDrawn = answer.drawn;
    return dataChosen(parts, choices, answer.folder);
  };
  const always = () => !isDrawn;
  const steps: Step<TrainingChoices>[] = [
    { applies: () => from.folder === undefined, ask: askForData },
    { applies: always, ask: (choices, place) => askNetwork(parts, choices, place) },
    { applies: ({ network }) => always() && methodsFor(network).length > 1, ask: askMethod },
    { applies: always, ask: askEpochs },
    { applies: always, ask: askBatch },
  ];
  const start = from.folder === undefined ? first : await dataChosen(parts, first, from.folder);
  const choices = await runSteps(parts.title, start, steps, from.last === true ? steps.length - 1 : 0);
  return { choices, place: placeAfter(parts.title, steps, choices) };
}

/** What is offered for a folder; see `choicesFor`. */
export async function dataChosen(
  { settings }: Pick<AskParts, 'settings'>,
  choices: TrainingChoices,
  folder: string,
): Promise<TrainingChoices> {
  return choicesFor(folder, choices, await readSampleSettings(folder), settings);
}

interface DataItem extends vscode.QuickPickItem {
  readonly folder?: string;
  readonly does?: 'choose' | 'draw';
}

async function askData(
  parts: AskParts,
  choices: TrainingChoices,
  place: QuestionPlace,
): Promise<{ readonly folder: string; readonly drawn: boolean } | typeof back> {
  const picked = await pickItem<DataItem>({
    place,
    placeholder: l10n.t('Which images? A folder with train, valid and test, or with one folder per class'),
    items: async (show) => {
      const used = parts.dataFolders.all();
      const choose: DataItem = {
        label: `$(folder-opened) ${l10n.t('Choose a Folder...')}`,
        does: 'choose',
        alwaysShow: true,
      };
      const draw: DataItem = {
        label: `$(sparkle) ${l10n.t('Draw a Sample Data Set')}`,
        detail: l10n.t(
          '300 flowers of five kinds, to try things on. Needs no network and trains in less than a minute.',
        ),
        does: 'draw',
        alwaysShow: true,
      };
      if (used.length > 0) show([...used.map(folderItem), choose, draw]);
      const found = (await findData()).filter((folder) => !used.includes(folder));
      const folders = [...used, ...found].map(folderItem);
      show(folders.length > 0 ? [...folders, choose, draw] : [draw, choose]);
    },
    active: ({ folder }) => folder === choices.data,
  });
  if (picked === back) return back;
  if (picked.does === 'draw') return { folder: await drawSampleHere(parts), drawn: true };
  const dialog = { title: l10n.t('Choose a folder of images to train on'), openLabel: l10n.t('Train on This Folder') };
  const folder = picked.folder ?? (await chooseFolder(dialog));
  return folder === undefined ? askData(parts, choices, place) : { folder, drawn: false };
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

async function askNetwork(parts: AskParts, choices: TrainingChoices, place: QuestionPlace): Answer {
  let preferred = choices.network;
  const picked = await pickItem<NetworkItem>({
    place,
    placeholder: l10n.t('Which network?'),
    items: async (show) => {
      const [offers, time] = await Promise.all([parts.offers, timeOfEpochs(parts, choices)]);
      preferred = runnableNow(choices, offers).network;
      show(networkItems(offers, choices.network, time));
    },
    active: ({ network }) => isSameNetwork(network, preferred),
  });
  if (picked === back) return back;
  const network = picked.network ?? (await askBackbone(place));
  // Nothing chosen, or back from what a file expects: the list again.
  if (network === undefined || network === back) return askNetwork(parts, choices, place);
  return withNetwork(choices, network);
}

function withNetwork(choices: TrainingChoices, network: TrainingChoices['network']): TrainingChoices {
  const methods = methodsFor(network);
  const method = methods.includes(choices.method) ? choices.method : (methods[0] ?? 'head');
  return { ...choices, network, method };
}

/** Milliseconds that the list of networks waits for a count of the images: without one it tells no times. */
const countPatience = 500;

/** How long an epoch takes here, by how fast such a network was last trained. */
async function timeOfEpochs(
  { service, settings, speeds, offers }: AskParts,
  choices: TrainingChoices,
): Promise<SecondsPerEpoch> {
  const speedOf = (network: TrainingChoices['network']) =>
    speeds.imagesPerSecond(configFrom(withNetwork(choices, network), settings));
  const isKnown = (await offers).some(
    ({ name, weightsBytes }) =>
      speedOf({ kind: 'architecture', name, pretrained: weightsBytes !== undefined }) !== undefined,
  );
  if (!isKnown && speedOf(choices.network) === undefined) return () => undefined;
  const request = checkRequest(configFrom(choices, settings), true);
  const count = answerOf(service, request, 'report').then(
    ({ report }) => report.images.train,
    // What is wrong with the data is told by the last question.
    () => undefined,
  );
  const images = await Promise.race([count, delay(countPatience, undefined, { ref: false })]);
  return (network) => {
    const speed = speedOf(network);
    return images === undefined || speed === undefined ? undefined : images / speed;
  };
}

interface PresetItem extends vscode.QuickPickItem {
  readonly name: (typeof presetNames)[number];
}

const presets = {
  imagenet: l10n.t('From 0 to 1, less ImageNet’s mean, by its deviation: torchvision, timm, most others.'),
  tf: l10n.t('From -1 to 1: TensorFlow’s MobileNet and Inception.'),
  'caffe-bgr': l10n.t('From 0 to 255, less the mean, blue first: networks from Caffe.'),
} as const;

async function askBackbone(place: QuestionPlace): Promise<TrainingChoices['network'] | typeof back | undefined> {
  const chosen = await vscode.window.showOpenDialog({
    canSelectFiles: true,
    filters: { ONNX: ['onnx'] },
    title: l10n.t('Choose an ONNX File as Backbone'),
    openLabel: l10n.t('Use as Backbone'),
  });
  const file = chosen?.[0]?.fsPath;
  if (file === undefined) return undefined;
  const picked = await pickItem<PresetItem>({
    place: { ...place, title: basename(file) },
    placeholder: l10n.t('Choose input normalization'),
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

async function askMethod(choices: TrainingChoices, place: QuestionPlace): Answer {
  const methods = methodsFor(choices.network);
  const picked = await pickItem<MethodItem>({
    place,
    placeholder: l10n.t('Which layers to train?'),
    items: (show) => {
      const order = (['head', 'full', 'top', 'scratch'] as const).filter((name) => methods.includes(name));
      show(order.map((name) => ({ label: methodTexts[name][0], detail: methodTexts[name][1], name })));
      return Promise.resolve();
    },
    active: ({ name }) => name === choices.method,
  });
  if (picked === back) return back;
  if (picked.name !== 'top') return { ...choices, method: picked.name };
  const count = await askNumber(
    place,
    l10n.t('How many parameter tensors, counted from the end, including the head’s?'),
    {
      value: choices.topTensors,
      most: 10_000,
    },
  );
  return count === back ? askMethod(choices, place) : { ...choices, method: picked.name, topTensors: count };
}

async function askEpochs(choices: TrainingChoices, place: QuestionPlace): Answer {
  const epochs = await askNumber(place, l10n.t('How many epochs, passes over the training images?'), {
    value: choices.epochs,
    most: 100_000,
  });
  return epochs === back ? back : { ...choices, epochs };
}

async function askBatch(choices: TrainingChoices, place: QuestionPlace): Answer {
  const batchSize = await askNumber(
    place,
    l10n.t('How many images per step? If memory runs short, the run halves it.'),
    {
      value: choices.batchSize,
      most: 4096,
    },
  );
  return batchSize === back ? back : { ...choices, batchSize };
}

async function askNumber(
  place: QuestionPlace,
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
        : l10n.t('A whole number from 1 to {0}.', most.toLocaleString('en')),
  });
  return answer === back ? back : Number(answer);
}
