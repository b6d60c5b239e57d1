import process from 'node:process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { platformCacheFolder } from '../cache/cacheFolder.ts';
import type { DownloadProgress } from './download.ts';

export interface LocateOptions {
  /** Where downloads are kept and looked for; else `FIVECROP_WEIGHTS`, else the system's cache folder. */
  readonly weightsFolder?: string;
  /** A folder or an http(s) address that has the files under their names, or as the hub arranges them; else `FIVECROP_MIRROR`. */
  readonly mirror?: string;
  readonly onProgress?: (progress: DownloadProgress) => void;
  readonly signal?: AbortSignal;
  /** Pause before another attempt at a download; a second without it. */
  readonly retryMilliseconds?: number;
  /** How long a server may send nothing; half a minute without it. */
  readonly stallMilliseconds?: number;
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

/** Folders that are looked through, the first of which takes downloads, and the address of a mirror. */
export interface WeightsPlaces {
  readonly folder: string;
  /** A mirror that is a folder; nothing is downloaded where there is one. */
  readonly mirrorFolder: string | undefined;
  /** Without a slash at its end. */
  readonly mirrorAddress: string | undefined;
}

/** Where files of pretrained weights are looked for. */
export function placesOf({ weightsFolder, mirror: given }: LocateOptions): WeightsPlaces {
  const { FIVECROP_MIRROR: environmentMirror } = process.env;
  const set = given ?? (environmentMirror === '' ? undefined : environmentMirror);
  const mirror = set?.startsWith('file:') ? fileURLToPath(set) : set;
  const isFolder = mirror !== undefined && !isAddress(mirror);
  return {
    folder: weightsFolder ?? defaultWeightsFolder(),
    mirrorFolder: isFolder ? mirror : undefined,
    mirrorAddress: isFolder ? undefined : mirror?.replace(/\/+$/u, ''),
  };
}

/** The folders of `places`, in the order in which they are looked through. */
export function foldersOf({ folder, mirrorFolder }: WeightsPlaces): readonly string[] {
  return mirrorFolder === undefined ? [folder] : [folder, mirrorFolder];
}
