import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  CancelledError,
  cancelled,
  messageOf,
  type UserError,
  userError,
  weightsError,
} from '../../protocol/errors.ts';
import type { WeightsOutlook } from '../../protocol/serviceProtocol.ts';
import { withFileLock } from '../../runs/lock.ts';
import { platformCacheFolder } from '../cache/cacheFolder.ts';
import { askForSize, downloadFile, type DownloadProgress, whyFetchFailed } from './download.ts';
import { mismatchOf } from './fileHash.ts';
import type { PretrainedWeights, WeightsSource } from '../networks/pretrainedWeights.ts';
import { pretrainedWeights } from '../networks/registry.ts';

export interface LocateOptions {
  /** Where downloads are kept and looked for; else `FIVECROP_WEIGHTS`, else the system's cache folder. */
  readonly weightsFolder?: string;
  /** A folder or an http(s) address that has the files under their names, or as the hub arranges them; else `FIVECROP_MIRROR`. */
  readonly mirror?: string;
  readonly onProgress?: (progress: DownloadProgress) => void;
  readonly signal?: AbortSignal;
  /** Pause before another attempt at a download; a second without it. */
  readonly retryMilliseconds?: number;
}

/** Where weights are kept without any setting: the system's folder for what can be had again. */
export function defaultWeightsFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const set = environment['FIVECROP_WEIGHTS'];
  if (set) return set;
  return join(platformCacheFolder(environment), 'fivecrop', 'weights');
}

function isAddress(mirror: string): boolean {
  return /^https?:\/\//i.test(mirror);
}

/** A file that lies ready is used only if it is the right one. */
async function checkedFile(path: string, source: WeightsSource, signal?: AbortSignal): Promise<string | undefined> {
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

/** Folders that are looked through, the first of which takes downloads, and the address of a mirror. */
interface Places {
  readonly folder: string;
  /** A mirror that is a folder; nothing is downloaded where there is one. */
  readonly mirrorFolder: string | undefined;
  readonly mirrorAddress: string | undefined;
}

function placesOf({ weightsFolder, mirror: given }: LocateOptions): Places {
  const { FIVECROP_MIRROR: environmentMirror } = process.env;
  const set = given ?? (environmentMirror === '' ? undefined : environmentMirror);
  const mirror = set?.startsWith('file:') ? fileURLToPath(set) : set;
  const isFolder = mirror !== undefined && !isAddress(mirror);
  return {
    folder: weightsFolder ?? defaultWeightsFolder(),
    mirrorFolder: isFolder ? mirror : undefined,
    mirrorAddress: isFolder ? undefined : mirror,
  };
}

function foldersOf({ folder, mirrorFolder }: Places): readonly string[] {
  return mirrorFolder === undefined ? [folder] : [folder, mirrorFolder];
}

/** Whether a file of these weights lies ready, by its name alone: in the weights folder or in a mirror that is one. */
export function hasWeights(weights: PretrainedWeights, options: LocateOptions = {}): boolean {
  const folders = foldersOf(placesOf(options));
  return folders.some((folder) => weights.sources.some(({ file }) => existsSync(join(folder, file))));
}

async function findIn(folders: readonly string[], weights: PretrainedWeights, signal?: AbortSignal) {
  for (const folder of folders) {
    for (const source of weights.sources) {
      const found = await checkedFile(join(folder, source.file), source, signal);
      if (found) return found;
    }
  }
  return undefined;
}

/** The addresses of a file: the published one, or a mirror's two possible ones. */
function addressesOf(source: WeightsSource, mirror: string | undefined): readonly string[] {
  if (mirror === undefined) return [source.url];
  const base = mirror.replace(/\/+$/, '');
  const hubPath = new URL(source.url).pathname;
  return [`${base}/${source.file}`, `${base}${hubPath}`];
}

/** Asks every address in turn until `ask` succeeds. Throws what none of them being of use means. */
async function fromAnywhere<Answer>(
  weights: PretrainedWeights,
  { mirrorAddress }: Places,
  ask: (source: WeightsSource, url: string) => Promise<Answer>,
): Promise<Answer> {
  const failures: Failure[] = [];
  for (const source of weights.sources) {
    for (const url of addressesOf(source, mirrorAddress)) {
      try {
        return await ask(source, url);
      } catch (error) {
        if (error instanceof CancelledError) throw error;
        failures.push({ url, error });
      }
    }
  }
  throw unobtainable(weights, failures);
}

interface Failure {
  readonly url: string;
  readonly error: unknown;
}

function filesOf({ sources }: PretrainedWeights): string {
  return sources.map(({ file }) => file).join(' or ');
}

function unobtainable(weights: PretrainedWeights, failures: readonly Failure[]): UserError {
  const hosts = new Map<string, string>();
  for (const { url, error } of failures) hosts.set(new URL(url).host, whyFetchFailed(error));
  const reasons = [...new Set(hosts.values())].map((reason) => {
    const names = [...hosts].filter(([, why]) => why === reason).map(([host]) => host);
    return `${names.join(' and ')} ${reason}`;
  });
  const what = `The pretrained weights of ${weights.network} (${filesOf(weights)})`;
  const tried = failures.map(({ error }) => messageOf(error)).join('; ');
  return weightsError(`${what} cannot be downloaded, because ${reasons.join(', and ')}.`, tried);
}

const bytesPerMegabyte = 2 ** 20;

/** Size of a network's weights in bytes as far as the table knows it: exactly, or to a thousandth of a megabyte. */
export function weightsBytes({ sources, megabytes }: PretrainedWeights): number {
  return sources[0]?.bytes ?? Math.round(megabytes * bytesPerMegabyte);
}

/**
 * Looks where a network's weights would come from: by name in the folders, else with one short question to each address
 * until one has the file. Throws as `locateFile` does.
 */
export async function lookForWeights(
  weights: PretrainedWeights,
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

function notInMirror(weights: PretrainedWeights, folder: string, mirrorFolder: string): UserError {
  const reason = `Neither ${folder} nor the mirror ${mirrorFolder} has the pretrained weights of ${weights.network} (${filesOf(weights)}).`;
  return weightsError(reason, reason);
}

/**
 * The path of a file with these weights: from the cache folder, where a user may have put it by hand; from the mirror's
 * folder; or downloaded once, checked, with a lock against other processes. Throws a `UserError` of the kind `weights`
 * where they are not to be had, or a `CancelledError`.
 */
export async function locateFile(weights: PretrainedWeights, options: LocateOptions = {}): Promise<string> {
  const places = placesOf(options);
  const { folder, mirrorFolder } = places;
  const found = await findIn(foldersOf(places), weights, options.signal);
  if (found) return found;
  if (mirrorFolder !== undefined) throw notInMirror(weights, folder, mirrorFolder);
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw weightsError(`The weights folder ${folder} cannot be made.`, messageOf(error));
  }
  return withFileLock(
    join(folder, `${weights.network}.lock`),
    // Whoever held the lock before may have fetched it.
    async () => (await findIn([folder], weights, options.signal)) ?? (await download(weights, places, options)),
    options.signal,
  );
}

function download(weights: PretrainedWeights, places: Places, options: LocateOptions): Promise<string> {
  return fromAnywhere(weights, places, async (source, url) => {
    const path = join(places.folder, source.file);
    await downloadFile({ ...options, ...source, url, path });
    return path;
  });
}

/**
 * The path of a file with a network's weights from ImageNet, of the set that is named or the first, fetched if need be; `loadWeightsFile` reads it.
 * Throws as `locateFile` does, and a usage error for a network that has none.
 */
export async function locateWeights(
  network: string,
  set: string | undefined,
  options: LocateOptions = {},
): Promise<string> {
  return locateFile(pretrainedWeights(network, set), options);
}
