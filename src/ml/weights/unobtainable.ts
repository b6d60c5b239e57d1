import { messageOf, type UserError, weightsError } from '../../protocol/errors.ts';
import type { PretrainedWeights } from '../networks/weightSets.ts';
import { hostOf } from './hubAddress.ts';
import { whyFetchFailed } from './whyFetchFailed.ts';

/** Files that hold the same pretrained weights, of a network of ours or as an ONNX file; any of them will do. */
export type WeightsFiles = Pick<PretrainedWeights, 'network' | 'sources'>;

/** An address that was asked in vain. */
export interface FailedAddress {
  readonly url: string;
  readonly error: unknown;
}

/** The names of the files, any of which will do. */
export function namesOf({ sources }: WeightsFiles): string {
  return sources.map(({ file }) => file).join(' or ');
}

/** What it means that none of the addresses had the weights. */
export function unobtainable(weights: WeightsFiles, failures: readonly FailedAddress[]): UserError {
  const repository = weights.sources.find(({ hub }) => hub)?.hub?.repository;
  const hosts = new Map<string, string>();
  for (const { url, error } of failures) hosts.set(hostOf(url), whyFetchFailed(error, repository));
  const reasons = [...new Set(hosts.values())].map((reason) => {
    const names = [...hosts].filter(([, why]) => why === reason).map(([host]) => host);
    return `${names.join(' and ')} ${reason}`;
  });
  const what = `The pretrained weights of ${weights.network} (${namesOf(weights)})`;
  const tried = failures.map(({ error }) => messageOf(error)).join('; ');
  return weightsError(`${what} cannot be downloaded, because ${reasons.join(', and ')}.`, tried);
}

/** What it means that a mirror that is a folder has them as little as the folder of weights. */
export function notInMirror(weights: WeightsFiles, folder: string, mirrorFolder: string): UserError {
  const reason = `Neither ${folder} nor the mirror ${mirrorFolder} has the pretrained weights of ${weights.network} (${namesOf(weights)}).`;
  return weightsError(reason, reason);
}
