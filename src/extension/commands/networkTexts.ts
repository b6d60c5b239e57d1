import * as l10n from '@vscode/l10n';
import type { NetworkOffer } from '../../protocol/serviceProtocol.ts';
import { duration } from '../../protocol/duration.ts';
import { wholeMegabytes } from '../../protocol/megabytes.ts';
import type { Suggestion } from './suggestTrainings.ts';

/** How a network is described: size, accuracy, licence, and how long an epoch takes here, as far as that is known. */
export function describeOffer(
  { parameters, top1, licence }: NetworkOffer,
  secondsPerEpoch: number | undefined,
): string {
  const size = l10n.t('{0} million parameters', (parameters / 1e6).toFixed(1));
  const accuracy = top1 === undefined ? [] : [l10n.t('{0} % on ImageNet', (top1 * 100).toFixed(1))];
  return [size, ...accuracy, ...(licence === undefined ? [] : [licenceText(licence)]), ...timeOf(secondsPerEpoch)].join(
    ' · ',
  );
}

const suggestionLabels = {
  accuracy: l10n.t('Best Accuracy'),
  withoutDownload: l10n.t('Best Without a Download'),
  speed: l10n.t('Quick'),
} as const satisfies Record<Suggestion['aim'], string>;

/** What a suggestion is called and how it is described. `measuring`: its time may still come. */
export function suggestionTexts({ aim, offer, views, seconds }: Suggestion, measuring: boolean) {
  const unknown = measuring ? l10n.t('measuring the time here') : l10n.t('time not measured yet');
  const time = seconds === undefined ? unknown : timeHere(seconds);
  const what =
    views === 1 ? l10n.t('head on one view of each image') : l10n.t('head on {0} views of each image', views);
  const licence = offer.licence === undefined ? [] : [licenceText(offer.licence)];
  return {
    label: suggestionLabels[aim],
    description: [time, ...downloadOf(offer)].join(' · '),
    detail: [offer.title, what, ...licence].join(' · '),
  };
}

/** To begin and to end takes some seconds too. */
function timeHere(seconds: number): string {
  return seconds < 45 ? l10n.t('less than a minute here') : l10n.t('about {0} here', duration(seconds));
}

/** What has to be downloaded, as the end of a line; nothing if the weights are here, or if there are none. */
export function downloadOf({
  weightsBytes,
  weightsHere,
}: Pick<NetworkOffer, 'weightsBytes' | 'weightsHere'>): string[] {
  return weightsBytes === undefined || weightsHere ? [] : [l10n.t('{0} to download', megabytesText(weightsBytes))];
}

/** A licence, with what is not usual about it. */
export function licenceText(licence: string): string {
  if (/-nc\b/iu.test(licence)) return l10n.t('{0}: not for commercial use', licence);
  if (licence === 'dinov3-license')
    return l10n.t('{0}: its terms apply to trained models, and the hub may ask for a login', licence);
  return licence;
}

/** How long an epoch takes here, as the end of a line; nothing if that is not known. */
export function timeOf(seconds: number | undefined): string[] {
  if (seconds === undefined) return [];
  return [l10n.t('about {0} per epoch here', duration(Math.max(1, seconds)))];
}

/** A size, in the editor's language. */
export function megabytesText(bytes: number): string {
  return l10n.t('{0} MB', wholeMegabytes(bytes));
}
