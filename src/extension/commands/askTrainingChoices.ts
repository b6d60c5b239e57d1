import { basename, dirname } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { inLabel } from '../plainText.ts';
import type { DataFolders } from '../trainer/dataFolders.ts';
import { findDataSets } from '../views/listData.ts';
import { askNetwork, type NetworkParts } from './askNetwork.ts';
import { chooseFolder } from './chooseFolder.ts';
import { drawSampleHere } from './drawSample.ts';
import { askNumber, pickItem } from './quickQuestions.ts';
import { back, lastStep, type QuestionPlace, placeAfter, runSteps, type Step } from './runSteps.ts';
import { readSampleSettings } from './sampleSettings.ts';
import {
  choicesFor,
  type FirstSettings,
  type MachineSettings,
  methodsFor,
  methodTexts,
  type TrainingChoices,
} from './trainingChoices.ts';

export interface AskParts extends NetworkParts {
  readonly dataFolders: DataFolders;
  readonly title: string;
  readonly settings: FirstSettings & MachineSettings;
}

interface Asked {
  readonly choices: TrainingChoices;
  /** Of the last question, which comes after these. */
  readonly place: QuestionPlace;
}

type Answer = Promise<TrainingChoices | typeof back>;

/** Asks `trainingSteps`; with `last` only the last question is open at first, and *Back* leads to those before it. */
export async function askTrainingChoices(
  parts: AskParts,
  first: TrainingChoices,
  { folder, last = false }: { readonly folder?: string | undefined; readonly last?: boolean },
): Promise<Asked> {
  const steps = trainingSteps(parts, folder);
  const start = folder === undefined ? first : await dataChosen(parts, first, folder);
  const choices = await runSteps(parts.title, start, steps, last ? lastStep(steps, start) : 0);
  return { choices, place: placeAfter(parts.title, steps, choices) };
}

/**
 * The questions for folder, network, method, and, where `asksLength` says so, epochs and batch. With `folder` that question
 * is left out. Whoever has a sample drawn is asked nothing more: its settings suit it.
 */
export function trainingSteps(
  parts: AskParts,
  folder: string | undefined,
  asksLength: (choices: TrainingChoices) => boolean = () => true,
): Step<TrainingChoices>[] {
  let isDrawn = false;
  const askForData = async (choices: TrainingChoices, place: QuestionPlace): Answer => {
    const answer = await askData(parts, choices, place);
    if (answer === back) return back;
    isDrawn = answer.drawn;
    return dataChosen(parts, choices, answer.folder);
  };
  const always = () => !isDrawn;
  // What was suggested comes with its method, epochs and batch.
  const isOpen = ({ recipe }: TrainingChoices) => always() && recipe === 'report';
  const isLengthOpen = (choices: TrainingChoices) => isOpen(choices) && asksLength(choices);
  return [
    { applies: () => folder === undefined, ask: askForData },
    { applies: always, ask: (choices, place) => askNetwork(parts, choices, place) },
    { applies: (choices) => isOpen(choices) && methodsFor(choices.network).length > 1, ask: askMethod },
    { applies: isLengthOpen, ask: askEpochs },
    { applies: isLengthOpen, ask: askBatch },
  ];
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
          '300 drawn flowers of five kinds, to try things out. Needs no download and trains in less than a minute.',
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

interface MethodItem extends vscode.QuickPickItem {
  readonly name: TrainingChoices['method'];
}

async function askMethod(choices: TrainingChoices, place: QuestionPlace): Answer {
  const methods = methodsFor(choices.network);
  const picked = await pickItem<MethodItem>({
    place,
    placeholder: l10n.t('Which layers to train?'),
    items: (show) => {
      const order = (['head', 'lora', 'full', 'top', 'scratch'] as const).filter((name) => methods.includes(name));
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
