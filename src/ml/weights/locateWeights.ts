import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CancelledError, cancelled, messageOf, UserError, userError, weightsError } from '../../protocol/errors.ts';
import type { HubPin } from '../../protocol/timmConfig.ts';
import type { WeightsOutlook } from '../../protocol/serviceProtocol.ts';
import { withFileLock } from '../../runs/lock.ts';
import type { PretrainedWeights, WeightsSource } from '../networks/weightSets.ts';
import { namedNetwork, networkNames, pretrainedWeights } from '../networks/registry.ts';
import { timmPrefix, timmSource } from '../networks/timm.ts';
import { askForSize, downloadFile } from './download.ts';
import { mismatchOf } from './fileHash.ts';
import { atHub } from './hubAddress.ts';
import { type CheckedSource, hubPin, type HubSource, withPin } from './hubPin.ts';
import { type FailedAddress, notInMirror, unobtainable, type WeightsFiles } from './unobtainable.ts';
import { foldersOf, type LocateOptions, placesOf, type WeightsPlaces } from './weightsPlaces.ts';

/** A file that lies ready is used only if it is the right one. */
async function checkedFile(path: string, source: CheckedSource, signal?: AbortSignal): Promise<string | undefined> {
  if (!existsSync(path)) return undefined;
  let mismatch;
  try {
    mismatch = await mismatchOf(path, source, signal);
  } catch (error) {
    if (signal?.aborted) throw cancelled();
    throw userError(`${path} cannot be read (${messageOf(error)}): check its permissions.`, error);
  }
  if (mismatch === undefined) return path;
  const reason = `${path} is another file than its name says (${mismatch}): delete it.`;
  throw weightsError(reason, reason);
}

/** Whether a file of these weights lies ready, by its name alone: in the weights folder or in a mirror that is one. */
export function hasWeights(weights: WeightsFiles, options: LocateOptions = {}): boolean {
  const folders = foldersOf(placesOf(options));
  return folders.some((folder) => weights.sources.some(({ file }) => existsSync(join(folder, file))));
}

async function findIn(folders: readonly string[], sources: readonly CheckedSource[], signal?: AbortSignal) {
  for (const folder of folders) {
    for (const source of sources) {
      const found = await checkedFile(join(folder, source.file), source, signal);
      if (found) return found;
    }
  }
  return undefined;
}

/** The addresses of a file: the published one, or a mirror's two possible ones. */
function addressesOf(source: WeightsSource, mirror: string | undefined): readonly string[] {
  if (mirror === undefined) return [atHub(source.url)];
  const hubPath = new URL(source.url).pathname;
  return [`${mirror}/${source.file}`, `${mirror}${hubPath}`];
}

/** Asks every address in turn until `ask` succeeds. Throws what none of them being of use means. */
async function fromAnywhere<Source extends WeightsSource, Answer>(
  weights: WeightsFiles & { readonly sources: readonly Source[] },
  { mirrorAddress }: WeightsPlaces,
  ask: (source: Source, url: string) => Promise<Answer>,
): Promise<Answer> {
  const failures: FailedAddress[] = [];
  for (const source of weights.sources) {
    for (const url of addressesOf(source, mirrorAddress)) {
      try {
        return await ask(source, url);
      } catch (error) {
        // What no other address would change, such as a token that is none.
        if (error instanceof CancelledError || (error instanceof UserError && error.cause === undefined)) throw error;
        failures.push({ url, error });
      }
    }
  }
  throw unobtainable(weights, failures);
}

const bytesPerMegabyte = 2 ** 20;

/** Size of a network's weights in bytes as far as the table knows it: exactly, or to a thousandth of a megabyte. */
export function weightsBytes({ sources, megabytes }: Pick<PretrainedWeights, 'sources' | 'megabytes'>): number {
  return sources[0]?.bytes ?? Math.round(megabytes * bytesPerMegabyte);
}

/**
 * Looks where pretrained weights would come from: by name in the folders, else with one short question to each address
 * until one has the file. Throws as `locateFile` does.
 */
export async function lookForWeights(
  weights: WeightsFiles & Pick<PretrainedWeights, 'megabytes'>,
  options: LocateOptions = {},
): Promise<Exclude<WeightsOutlook, { state: 'missing' }>> {
  if (hasWeights(weights, options)) return { state: 'here' };
  const places = placesOf(options);
  if (places.mirrorFolder !== undefined) throw notInMirror(weights, places.folder, places.mirrorFolder);
  return fromAnywhere(weights, places, async ({ bytes }, url) => {
    const size = await askForSize(url, options.signal);
    return { state: 'remote', host: new URL(url).host, bytes: size ?? bytes ?? weightsBytes(weights) };
  });
}

/**
 * The path of a file with these weights: from the cache folder, where a user may have put it by hand; from the mirror's
 * folder; or downloaded once, checked, with a lock against other processes. The hub is asked for the hash of a file whose
 * hash no table has. Throws a `UserError` of the kind `weights` where they are not to be had, or a `CancelledError`.
 */
export async function locateFile(weights: WeightsFiles, options: LocateOptions = {}): Promise<string> {
  const places = placesOf(options);
  const { folder, mirrorFolder } = places;
  const { network } = weights;
  const sources = await Promise.all(weights.sources.map((source) => checkedSource(network, source, options)));
  const found = await findIn(foldersOf(places), sources, options.signal);
  if (found) return found;
  if (mirrorFolder !== undefined) throw notInMirror(weights, folder, mirrorFolder);
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw weightsError(`The weights folder ${folder} cannot be made.`, messageOf(error));
  }
  return withFileLock(
    join(folder, `${network.replaceAll('/', '.')}.lock`),
    // Whoever held the lock before may have fetched it.
    async () =>
      (await findIn([folder], sources, options.signal)) ?? (await download({ network, sources }, places, options)),
    options.signal,
  );
}

async function checkedSource(network: string, source: WeightsSource, options: LocateOptions): Promise<CheckedSource> {
  const { sha256, hub } = source;
  if (sha256 !== undefined) return { ...source, sha256 };
  if (!hub) throw new Error(`${network} has a file whose hash is not known, and that is not on the hub`);
  const onHub: HubSource = { ...source, hub };
  return withPin(onHub, await hubPin(network, onHub, false, options));
}

function download(
  weights: WeightsFiles & { readonly sources: readonly CheckedSource[] },
  places: WeightsPlaces,
  options: LocateOptions,
): Promise<string> {
  return fromAnywhere(weights, places, async (source, url) => {
    const path = join(places.folder, source.file);
    await downloadFile({ ...options, ...source, url, path });
    return path;
  });
}

/** What a network's weights are fetched with. */
export interface WeightsChoice {
  /** The set, by its name; the first without it. */
  readonly set?: string | undefined;
  /** What its name stands for on the hub, where that is decided. */
  readonly pin?: HubPin | undefined;
}

/**
 * The path of a file with a network's weights, fetched if need be; `loadWeightsFile` reads it. Throws as `locateFile` does,
 * and a usage error for a network that has none.
 */
export async function locateWeights(
  network: string,
  { set, pin }: WeightsChoice = {},
  options: LocateOptions = {},
): Promise<string> {
  return locateFile(pretrainedWeights(network, set, pin), options);
}

/**
 * What a network's name stands for on the hub. Undefined for a network that has no weights there by this name. Throws as
 * `hubPin` does.
 */
export async function pinOfNetwork(name: string, options: LocateOptions = {}): Promise<HubPin | undefined> {
  if (!name.startsWith(timmPrefix)) return undefined;
  const isListed = networkNames.includes(name);
  const [source] = isListed ? pretrainedWeights(name).sources : [timmSource(name)];
  if (!source?.hub) return undefined;
  const pin = await hubPin(name, { ...source, hub: source.hub }, !isListed, options);
  if (pin.licence !== undefined || !isListed) return pin;
  const licence = namedNetwork(name).licence;
  return licence === undefined ? pin : { ...pin, licence };
}
