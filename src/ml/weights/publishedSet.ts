import { stat } from 'node:fs/promises';
import { isWeightSet } from '../../protocol/weightSetName.ts';
import type { PretrainedWeights } from '../networks/weightSets.ts';
import type { NamedNetwork } from '../networks/registry.ts';
import { mismatchOf } from './fileHash.ts';

/** A table's size in units of 2^20 bytes has three digits behind the point. */
const sizeTolerance = 0.001;

/**
 * The published set that `weights` means, in the way that settings name weights: by its name, by a file that is one of
 * its own, whatever that is called now, or, where nothing is named, the network's first. Undefined for any other file, and
 * where there is no such set. Throws the file system's error only where a file that can be seen cannot be read.
 */
export async function publishedSet(
  { weights: sets }: Pick<NamedNetwork, 'weights'>,
  weights: string | undefined,
): Promise<PretrainedWeights | undefined> {
  if (weights === undefined) return sets[0];
  if (isWeightSet(weights)) return sets.find(({ name }) => name === weights);
  const size = await stat(weights).then(
    ({ size: bytes }) => bytes,
    () => undefined,
  );
  if (size === undefined) return undefined;
  for (const set of sets) {
    for (const source of set.sources) {
      const { sha256 } = source;
      if (sha256 === undefined) continue;
      const hasItsSize = source.bytes === undefined ? isNear(size, set.megabytes) : size === source.bytes;
      if (hasItsSize && (await mismatchOf(weights, { ...source, sha256 })) === undefined) return set;
    }
  }
  return undefined;
}

function isNear(bytes: number, megabytes: number): boolean {
  return Math.abs(bytes / 2 ** 20 - megabytes) <= sizeTolerance;
}
