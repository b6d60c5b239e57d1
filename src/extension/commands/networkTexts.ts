import type { NetworkOffer } from '../../protocol/serviceProtocol.ts';
import { duration } from '../../protocol/duration.ts';

/** How a network is described: size, accuracy, and how long an epoch takes here, as far as that is known. */
export function describeOffer({ parameters, top1 }: NetworkOffer, secondsPerEpoch: number | undefined): string {
  const size = `${(parameters / 1e6).toFixed(1)} million parameters`;
  const accuracy = top1 === undefined ? [] : [`${(top1 * 100).toFixed(1)} % on ImageNet`];
  return [size, ...accuracy, ...timeOf(secondsPerEpoch)].join(' · ');
}

/** How long an epoch takes here, as the end of a line; nothing if that is not known. */
export function timeOf(seconds: number | undefined): string[] {
  if (seconds === undefined) return [];
  return [`about ${duration(Math.max(1, seconds))} per epoch here`];
}

/** A size in megabytes, for people: of 10⁶ bytes, as downloads are counted. */
export function megabytes(bytes: number): string {
  return `${Math.max(1, Math.round(bytes / 1e6))} MB`;
}
