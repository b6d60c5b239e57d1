import { basename } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { networkId } from '../../protocol/networkName.ts';
import type { NetworkOffer } from '../../protocol/serviceProtocol.ts';
import { inLabel } from '../plainText.ts';
import { describeOffer, megabytes, timeOf } from './networkTexts.ts';
import type { TrainingChoices } from './trainingChoices.ts';

export interface NetworkItem extends vscode.QuickPickItem {
  /** Undefined for a separator, and for the row that asks for a file. */
  readonly network?: TrainingChoices['network'];
}

/** Seconds that an epoch of a network takes on this machine; undefined if that is not known. */
export type SecondsPerEpoch = (network: TrainingChoices['network']) => number | undefined;

/** The networks on offer: those whose weights are here, then the others by family, in each the most accurate first. `chosen` is the one that was trained last. */
export function networkItems(
  offers: readonly NetworkOffer[],
  chosen: TrainingChoices['network'],
  secondsPerEpoch: SecondsPerEpoch,
): readonly NetworkItem[] {
  const ofGroup = (belongs: (offer: NetworkOffer) => boolean) =>
    offers
      .filter(belongs)
      .sort((a, b) => (b.top1 ?? 0) - (a.top1 ?? 0))
      .map((offer) => networkItem(offer, secondsPerEpoch));
  const families = [...new Set(offers.map(({ family }) => family))];
  const hasWeights = ({ weightsBytes }: NetworkOffer) => weightsBytes !== undefined;
  return [
    ...group(
      l10n.t('Ready on This Machine'),
      ofGroup(({ weightsHere }) => weightsHere),
    ),
    ...families.flatMap((family) =>
      group(
        l10n.t('To Download: {0}', family),
        ofGroup((offer) => hasWeights(offer) && !offer.weightsHere && offer.family === family),
      ),
    ),
    ...group(l10n.t('From a File'), fileItems(chosen, secondsPerEpoch)),
    ...group(
      l10n.t('Small Networks from Scratch'),
      ofGroup((offer) => !hasWeights(offer)),
    ),
  ];
}

function group(label: string, items: readonly NetworkItem[]): NetworkItem[] {
  return items.length === 0 ? [] : [{ label, kind: vscode.QuickPickItemKind.Separator }, ...items];
}

function networkItem(offer: NetworkOffer, secondsPerEpoch: SecondsPerEpoch): NetworkItem {
  const { name, title, weightsBytes, weightsHere } = offer;
  const network = { kind: 'architecture' as const, name, pretrained: weightsBytes !== undefined };
  const download = weightsBytes === undefined || weightsHere ? '' : l10n.t('{0} to download', megabytes(weightsBytes));
  return { label: title, description: download, detail: describeOffer(offer, secondsPerEpoch(network)), network };
}

function fileItems(chosen: TrainingChoices['network'], secondsPerEpoch: SecondsPerEpoch): NetworkItem[] {
  const choose = {
    label: `$(file-binary) ${l10n.t('Choose an ONNX File...')}`,
    detail: l10n.t('A network of your own as a frozen backbone; a new head is trained on its features.'),
  };
  if (chosen.kind !== 'backbone') return [choose];
  const { file, preprocess } = chosen;
  const detail = [inLabel(file), ...timeOf(secondsPerEpoch(chosen))].join(' · ');
  return [{ label: inLabel(basename(file)), description: preprocess, detail, network: chosen }, choose];
}

export function isSameNetwork(a: TrainingChoices['network'] | undefined, b: TrainingChoices['network']): boolean {
  return a?.kind === b.kind && networkId(a) === networkId(b);
}
