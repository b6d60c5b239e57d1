import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CancelledError, cancelled, messageOf, userError } from '../../protocol/errors.ts';
import { withFileLock } from '../../runs/lock.ts';
import { platformCacheFolder } from '../cache/cacheFolder.ts';
import { downloadFile, type DownloadProgress } from './download.ts';
import { mismatchOf } from './fileHash.ts';
import { pretrainedFor, type PretrainedWeights, type WeightsSource } from './pretrainedTable.ts';

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
  throw userError(
    `${path} is not the file that its name promises: ${mismatch}. Delete it, or give it with \`--weights\`.`,
  );
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

async function download(
  weights: PretrainedWeights,
  folder: string,
  mirror: string | undefined,
  options: LocateOptions,
) {
  const failures: string[] = [];
  for (const source of weights.sources) {
    for (const url of addressesOf(source, mirror)) {
      const path = join(folder, source.file);
      try {
        await downloadFile({ ...options, ...source, url, path });
        return path;
      } catch (error) {
        if (error instanceof CancelledError) throw error;
        failures.push(messageOf(error).replace(/\.$/, ''));
      }
    }
  }
  const files = weights.sources.map(({ file }) => file).join(' or ');
  const addresses = weights.sources.map(({ url }) => url).join(' or ');
  throw userError(
    `The weights of ${weights.architecture} are not here and could not be fetched. Put ${files} into ${folder} (from ${addresses}), or name a mirror with FIVECROP_MIRROR. What was tried: ${failures.join('; ')}.`,
  );
}

/**
 * The path of a file with these weights: from the cache folder, where a user may have put it by hand; from the mirror's
 * folder; or downloaded once, checked, with a lock against other processes. Throws a user error that says which file to
 * put where, or a `CancelledError`.
 */
export async function locateFile(weights: PretrainedWeights, options: LocateOptions = {}): Promise<string> {
  const folder = options.weightsFolder ?? defaultWeightsFolder();
  const { FIVECROP_MIRROR: environmentMirror } = process.env;
  const setMirror = options.mirror ?? (environmentMirror === '' ? undefined : environmentMirror);
  const mirror = setMirror?.startsWith('file:') ? fileURLToPath(setMirror) : setMirror;
  const mirrorFolder = mirror !== undefined && !isAddress(mirror) ? mirror : undefined;
  const folders = mirrorFolder === undefined ? [folder] : [folder, mirrorFolder];
  const found = await findIn(folders, weights, options.signal);
  if (found) return found;
  if (mirrorFolder !== undefined) {
    const files = weights.sources.map(({ file }) => file).join(' or ');
    throw userError(
      `Neither ${folder} nor the mirror ${mirrorFolder} has the weights of ${weights.architecture}: put ${files} into one of them.`,
    );
  }
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw userError(`${folder} cannot be made (${messageOf(error)}): name another with FIVECROP_WEIGHTS.`, error);
  }
  return withFileLock(
    join(folder, `${weights.architecture}.lock`),
    // Whoever held the lock before may have fetched it.
    async () => (await findIn([folder], weights, options.signal)) ?? (await download(weights, folder, mirror, options)),
    options.signal,
  );
}

/**
 * The path of a file with an architecture's weights from ImageNet, fetched if need be; `loadWeightsFile` reads it.
 * Throws as `locateFile` does, and a usage error for an architecture that has none.
 */
export async function locateWeights(architecture: string, options: LocateOptions = {}): Promise<string> {
  return locateFile(pretrainedFor(architecture), options);
}
