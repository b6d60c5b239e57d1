import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import type { DataSize } from '../../protocol/serviceProtocol.ts';
import type { Parts } from '../parts.ts';
import { answerOf } from '../service/answerOf.ts';
import { readSettings } from '../settings.ts';
import type { LiveRuns } from '../trainer/liveRuns.ts';
import type { SpeedMemory } from '../trainer/speedMemory.ts';
import { dataOf } from './confirmTraining.ts';
import { firstRow, networkGroups, type NetworkList, type NetworkRow, type Offers } from './networkList.ts';
import { askLine, pickItem } from './quickQuestions.ts';
import { back, type QuestionPlace } from './runSteps.ts';
import { networksToMeasure, type Speed, suggestTrainings, withSuggestion } from './suggestTrainings.ts';
import {
  configFrom,
  type FirstSettings,
  type MachineSettings,
  presetNames,
  type TrainingChoices,
  withNetwork,
} from './trainingChoices.ts';

export interface NetworkParts extends Pick<Parts, 'service'> {
  readonly live: Pick<LiveRuns, 'all'>;
  readonly speeds: Pick<SpeedMemory, 'imagesPerSecond'>;
  readonly offers: Promise<Offers>;
  readonly settings: MachineSettings & Pick<FirstSettings, 'batchSize'>;
}

/** Asks for a network, or a whole training that is suggested. */
export async function askNetwork(
  parts: NetworkParts,
  choices: TrainingChoices,
  place: QuestionPlace,
): Promise<TrainingChoices | typeof back> {
  const closing = new AbortController();
  const { signal } = closing;
  let first: NetworkRow | undefined;
  const picked = await pickItem<NetworkRow>({
    place,
    placeholder: l10n.t('Which network?'),
    items: (show) =>
      followNetworkList(parts, choices, {
        signal,
        show: (list) => {
          const groups = networkGroups(list);
          first = firstRow(groups, choices);
          show(groups.flatMap(({ title, rows }) => [separator(title), ...rows]));
        },
      }),
    active: (row) => row === first,
  }).finally(() => closing.abort());
  if (picked === back) return back;
  if (picked.suggestion) return withSuggestion(choices, picked.suggestion, parts.settings);
  const network = picked.network ?? (await askElsewhere(picked, place));
  // Nothing chosen, or back from what a file expects: the list again.
  if (network === undefined || network === back) return askNetwork(parts, choices, place);
  return withNetwork(choices, network);
}

function separator(label: string): NetworkRow {
  return { label, kind: vscode.QuickPickItemKind.Separator };
}

interface NetworkListView {
  readonly signal: AbortSignal;
  readonly show: (list: NetworkList) => void;
}

/** Milliseconds that the list waits for the size of the data and the speeds that are remembered. */
const shortPatience = 500;

/**
 * Shows the networks with the times that are known, and again as more become known: how many images there are, and how
 * fast this machine is with the networks that are suggested, which is measured if nothing trains meanwhile.
 */
async function followNetworkList(parts: NetworkParts, choices: TrainingChoices, view: NetworkListView): Promise<void> {
  const { settings, speeds, live } = parts;
  const { signal } = view;
  const offers = await parts.offers;
  const names = networksToMeasure(offers.networks);
  const measured = new Map<string, Speed>();
  let data: DataSize | undefined;
  let measuring = live.all().length === 0;
  const secondsPerEpoch = (network: TrainingChoices['network']) => {
    const speed = speeds.imagesPerSecond(configFrom(withNetwork(choices, network), settings));
    return data === undefined || speed === undefined ? undefined : data.train / speed;
  };
  const draw = (): void => {
    if (signal.aborted) return;
    const suggestions = suggestTrainings(offers.networks, data, (name) => measured.get(name));
    view.show({ offers, suggestions, chosen: choices.network, secondsPerEpoch, measuring });
  };
  const known = Promise.all([
    sizeOfData(parts, choices, signal).then((found) => (data = found)),
    askSpeeds(parts, names, { measure: false, signal, onSpeed: (name, speed) => measured.set(name, speed) }),
  ]);
  const isKnown = await Promise.race([known.then(() => true), delay(shortPatience, false, { ref: false })]);
  draw();
  await known;
  if (!isKnown) draw();
  if (measuring) {
    const onSpeed = (name: string, speed: Speed): void => {
      measured.set(name, speed);
      draw();
    };
    const unknown = names.filter((name) => !measured.has(name));
    await askSpeeds(parts, unknown, { measure: true, signal, onSpeed });
    measuring = false;
    draw();
  }
}

async function sizeOfData(
  { service, settings }: NetworkParts,
  choices: TrainingChoices,
  signal: AbortSignal,
): Promise<DataSize | undefined> {
  const request = { type: 'size' as const, ...dataOf(configFrom(choices, settings)) };
  try {
    return (await answerOf(service, request, 'size', { signal })).size;
  } catch {
    // What is wrong with the data is told by the last question.
    return undefined;
  }
}

interface AskedSpeeds {
  readonly measure: boolean;
  readonly signal: AbortSignal;
  readonly onSpeed: (network: string, speed: Speed) => void;
}

async function askSpeeds(
  { service, settings }: NetworkParts,
  networks: string[],
  { measure, signal, onSpeed }: AskedSpeeds,
): Promise<void> {
  const { engine, device } = settings;
  try {
    await service.request(
      { type: 'speeds', networks, measure, engine, device },
      { signal, onAnswer: (answer) => answer.type === 'speed' && onSpeed(answer.network, answer) },
    );
  } catch {
    // A device that cannot be had is told when the run starts.
  }
}

function askElsewhere(
  { asks }: NetworkRow,
  place: QuestionPlace,
): Promise<TrainingChoices['network'] | typeof back | undefined> {
  return asks === 'file' ? askBackbone(place) : askName(place);
}

/** A network of timm, of which only the hub knows what it is. */
async function askName(place: QuestionPlace): Promise<TrainingChoices['network'] | typeof back> {
  const name = await askLine({
    place,
    prompt: l10n.t('The name of a network of timm on the hub.'),
    value: 'timm/',
    validate: (text) => (/^timm\/[\w-]+(\.[\w.-]+)?$/u.test(text) ? undefined : l10n.t('A name such as timm/resnet50.a1_in1k.')), // prettier-ignore
  });
  return name === back ? back : { kind: 'architecture', name, pretrained: true, isTransformer: false };
}

interface PresetItem extends vscode.QuickPickItem {
  readonly name: (typeof presetNames)[number];
}

const presets = {
  imagenet: l10n.t(
    'From 0 to 1, minus ImageNet’s mean, divided by its standard deviation: torchvision, timm, most others.',
  ),
  tf: l10n.t('From -1 to 1: TensorFlow’s MobileNet and Inception.'),
  'caffe-bgr': l10n.t('From 0 to 255, minus the mean, blue first: networks from Caffe.'),
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

/** Asked for at once, so that the list is there when the folder has been chosen. */
export async function networkOffers(service: Parts['service']): Promise<Offers> {
  const { weightsFolder } = readSettings();
  const folder = weightsFolder === undefined ? {} : { weightsFolder };
  return answerOf(service, { type: 'networks', ...folder }, 'networks');
}
