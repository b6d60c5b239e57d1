import * as l10n from '@vscode/l10n';
import type { NetworkOffer } from '../../protocol/serviceProtocol.ts';
import { duration } from '../../protocol/duration.ts';

/** How a network is described: size, accuracy, licence, and how long an epoch takes here, as far as that is known. */
export function describeOffer(
  { parameters, top1, licence }: NetworkOffer,
  secondsPerEpoch: number | undefined,
): string {
  const size = l10n.t('{0} million parameters', (parameters / 1e6).toFixed(1));
  const accuracy = top1 === undefined ? [] : [l10n.t('{0} % on ImageNet', (top1 * 100).toFixed(1))];
  return [size, ...accuracy, ...(licence === undefined ? [] : [licence]), ...timeOf(secondsPerEpoch)].join(' · ');
}

/** How long an epoch takes here, as the end of a line; nothing if that is not known. */
export function timeOf(seconds: number | undefined): string[] {
  if (seconds === undefined) return [];
  return [l10n.t('about {0} per epoch here', duration(Math.max(1, seconds)))];
}

/** A size in megabytes, for people: of 10⁶ bytes, as downloads are counted. */
export function megabytes(bytes: number): string {
  return l10n.t('{0} MB', Math.max(1, Math.round(bytes / 1e6)));
}
