import { basename } from 'node:path';
import * as l10n from '@vscode/l10n';
import type * as vscode from 'vscode';
import { isBackboneName } from '../../protocol/backboneNames.ts';
import { networkId } from '../../protocol/networkName.ts';
import type { BackboneOffer, NetworkOffer } from '../../protocol/serviceProtocol.ts';
import { inLabel } from '../plainText.ts';
import { describeOffer, downloadOf, licenceText, suggestionTexts, timeOf } from './networkTexts.ts';
import type { Suggestion } from './suggestTrainings.ts';
import type { TrainingChoices } from './trainingChoices.ts';

type Network = TrainingChoices['network'];

/** A row of the list; `network`, `suggestion` or `asks` says what it stands for. */
export interface NetworkRow extends vscode.QuickPickItem {
  /** A network, whose further questions come next. */
  readonly network?: Network;
  /** A whole training. */
  readonly suggestion?: Suggestion;
  /** What is asked for before there is a network. */
  readonly asks?: 'file' | 'name';
  /** Whether it can be trained without a download. */
  readonly isReady?: boolean;
}

/** What the service can train. */
export interface Offers {
  readonly networks: readonly NetworkOffer[];
  readonly backbones: readonly BackboneOffer[];
}

/** Seconds that an epoch of a network takes on this machine; undefined if that is not known. */
export type SecondsPerEpoch = (network: Network) => number | undefined;

export interface NetworkList {
  readonly offers: Offers;
  readonly suggestions: readonly Suggestion[];
  /** The network that was trained last, or the default one. */
  readonly chosen: Network;
  readonly secondsPerEpoch: SecondsPerEpoch;
  /** Whether speeds are being measured, so that times may still come. */
  readonly measuring: boolean;
}

/** The networks that the report trained. */
const reportNetworks = ['densenet169', 'resnet18', 'ConvNet1', 'ConvNet2', 'ConvNet3'];

/** Rows under a heading. */
export interface NetworkGroup {
  readonly title: string;
  readonly rows: readonly NetworkRow[];
}

/**
 * What can be trained: first what is suggested, what was trained last, and the report's networks; then those whose weights
 * are here, what is in no list, and the others by family, in each the most accurate first. Each network is in one group.
 */
export function networkGroups(list: NetworkList): NetworkGroup[] {
  const { offers, suggestions, chosen, measuring } = list;
  const all = networkRows(list);
  const ofReport = reportNetworks.flatMap((name) => all.find(({ network }) => nameOf(network) === name) ?? []);
  const last = all.find(({ network }) => isSameNetwork(network, chosen)) ?? chosenRow(list);
  const others = all.filter((row) => row !== last && !ofReport.includes(row));
  const ready = others.filter(({ isReady, network }) => isReady === true && isPretrained(network));
  const rest = others.filter((row) => !ready.includes(row));
  const ofFamily = (wanted: string): NetworkRow[] => {
    const names = offers.networks.filter(({ family }) => family === wanted).map(({ name }) => name);
    return rest.filter(({ network }) => names.some((name) => name === nameOf(network)));
  };
  const families = [...new Set(offers.networks.map(({ family }) => family))];
  const groups: NetworkGroup[] = [
    {
      title: l10n.t('For This Machine and This Data'),
      rows: suggestions.map((suggestion) => suggestionRow(suggestion, measuring)),
    },
    { title: l10n.t('Used Last'), rows: ofReport.includes(last) ? [] : [last] },
    { title: l10n.t('Networks of the Report'), rows: ofReport },
    { title: l10n.t('Ready on This Machine'), rows: ready },
    { title: l10n.t('From a File or the Hub'), rows: elsewhereRows },
    ...families.map((family) => ({ title: l10n.t('To Download: {0}', family), rows: ofFamily(family) })),
    {
      title: l10n.t('To Download: ONNX Files as Backbones'),
      rows: rest.filter(({ network }) => network?.kind === 'backbone'),
    },
  ];
  return groups.filter(({ rows }) => rows.length > 0);
}

/**
 * The row that is chosen by Enter alone: what was trained last if it can be trained now; else the first with pretrained
 * weights that are here; the first of all if none are.
 */
export function firstRow(
  groups: readonly NetworkGroup[],
  { network: chosen, recipe }: Pick<TrainingChoices, 'network' | 'recipe'>,
): NetworkRow | undefined {
  const rows = groups.flatMap((group) => group.rows);
  const isLast = ({ network, suggestion }: NetworkRow) =>
    suggestion === undefined
      ? recipe === 'report' && isSameNetwork(network, chosen)
      : suggestion.recipe === recipe && suggestion.offer.name === networkId(chosen);
  const ready = rows.filter(({ isReady }) => isReady);
  return ready.find(isLast) ?? ready.find((row) => row.suggestion ?? isPretrained(row.network)) ?? rows[0];
}

function suggestionRow(suggestion: Suggestion, measuring: boolean): NetworkRow {
  return { ...suggestionTexts(suggestion, measuring), suggestion, isReady: suggestion.offer.weightsHere };
}

function networkRows({ offers, secondsPerEpoch }: NetworkList): NetworkRow[] {
  const networks = [...offers.networks].sort((a, b) => (b.top1 ?? 0) - (a.top1 ?? 0));
  return [
    ...networks.map((offer) => networkRow(offer, secondsPerEpoch)),
    ...offers.backbones.map((offer) => backboneRow(offer, secondsPerEpoch)),
  ];
}

function networkRow(offer: NetworkOffer, secondsPerEpoch: SecondsPerEpoch): NetworkRow {
  const { name, title, isTransformer, weightsBytes, weightsHere } = offer;
  const pretrained = weightsBytes !== undefined;
  const network = { kind: 'architecture' as const, name, pretrained, isTransformer };
  // Several of timm's have one title.
  const ofHub = name.startsWith('timm/') ? [name] : [];
  const start = pretrained ? downloadOf(offer) : [l10n.t('from scratch')];
  const description = [...ofHub, ...start].join(' · ');
  const detail = describeOffer(offer, secondsPerEpoch(network));
  return { label: title, description, detail, network, isReady: !pretrained || weightsHere };
}

function backboneRow(offer: BackboneOffer, secondsPerEpoch: SecondsPerEpoch): NetworkRow {
  const { name, title, licence, weightsHere } = offer;
  const network = { kind: 'backbone' as const, file: name };
  const detail = [l10n.t('ONNX file, of which only the head trains'), licenceText(licence), ...timeOf(secondsPerEpoch(network))]; // prettier-ignore
  return {
    label: title,
    description: [name, ...downloadOf(offer)].join(' · '),
    detail: detail.join(' · '),
    network,
    isReady: weightsHere,
  };
}

/** A network that is not among those on offer: a file, or one of the hub that no table lists. */
function chosenRow({ chosen, secondsPerEpoch }: NetworkList): NetworkRow {
  const time = timeOf(secondsPerEpoch(chosen));
  if (chosen.kind === 'architecture') return { label: chosen.name, detail: time.join(''), network: chosen };
  const { file, preprocess } = chosen;
  const detail = [inLabel(file), ...time].join(' · ');
  const description = preprocess ?? '';
  return { label: inLabel(basename(file)), description, detail, network: chosen, isReady: !isBackboneName(file) };
}

const elsewhereRows: readonly NetworkRow[] = [
  {
    label: `$(file-binary) ${l10n.t('Choose an ONNX File...')}`,
    detail: l10n.t('A network of your own as a frozen backbone; a new head is trained on its features.'),
    asks: 'file',
  },
  {
    label: `$(cloud-download) ${l10n.t('Another Network of timm...')}`,
    detail: l10n.t('One that is not in this list, by its name on the hub: timm/NAME.TAG.'),
    asks: 'name',
  },
];

function nameOf(network: Network | undefined): string | undefined {
  return network?.kind === 'architecture' ? network.name : undefined;
}

function isPretrained(network: Network | undefined): boolean {
  return network?.kind === 'backbone' || network?.pretrained === true;
}

export function isSameNetwork(a: Network | undefined, b: Network): boolean {
  return a?.kind === b.kind && networkId(a) === networkId(b);
}
