import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, rmdir, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { CudaOutlook } from '../../protocol/serviceProtocol.ts';
import { CancelledError, cancelled, codeOf, messageOf, UserError, userError } from '../../protocol/errors.ts';
import { megabytes } from '../../protocol/megabytes.ts';
import { diskError } from '../../runs/diskError.ts';
import { withFileLock } from '../../runs/lock.ts';
import { unpackArchive } from '../archives/unpackArchive.ts';
import { makePrivateFolder } from '../cache/privateFolder.ts';
import {
  type CudaArchive,
  type CudaFiles,
  cudaFilesFor,
  cudaVersion,
  onlyPlatforms,
} from '../engine/onnxruntime/cuda/cudaFiles.ts';
import { cudaFolder, isWhole } from '../engine/onnxruntime/cuda/installedCuda.ts';
import { nvidiaDriver } from '../engine/onnxruntime/cuda/nvidiaDriver.ts';
import { downloadFile } from '../weights/download.ts';
import { mismatchOf } from '../weights/fileHash.ts';
import { placesOf } from '../weights/weightsPlaces.ts';
import { whyFetchFailed } from '../weights/whyFetchFailed.ts';

/** How far an installation is, in bytes. */
export interface InstallProgress {
  readonly what: 'Downloading' | 'Unpacking';
  readonly done: number;
  readonly total: number;
}

export interface InstallOptions {
  /** Else those of this platform. */
  readonly files?: CudaFiles;
  /** Else where CUDA's libraries are kept. */
  readonly folder?: string;
  /** A folder or an http(s) address that has the archives under their names; else `FIVECROP_MIRROR`. */
  readonly mirror?: string;
  readonly onProgress?: (progress: InstallProgress) => void;
  readonly signal?: AbortSignal;
  /** Pause before another attempt at a download; a second without it. */
  readonly retryMilliseconds?: number;
  /** How long a server may send nothing; half a minute without it. */
  readonly stallMilliseconds?: number;
}

/** Where an installation is made. */
interface Places {
  /** What is used. */
  readonly libraries: string;
  /** What becomes that once it is whole. */
  readonly unfinished: string;
  readonly downloads: string;
  readonly lock: string;
}

function placesIn(folder: string): Places {
  return {
    libraries: join(folder, cudaVersion),
    unfinished: join(folder, `${cudaVersion}.unfinished`),
    downloads: join(folder, 'downloads'),
    lock: join(folder, 'install.lock'),
  };
}

/** Names of installations, of any version of ours, and of those that did not become whole. */
const installation = /^onnxruntime-[\d.]+-cuda-[\d.]+-cudnn-[\d.]+(\.unfinished)?$/u;
const archiveFile = /\.whl(\.part)?$/u;

/**
 * The installations in a folder, and the files that were downloaded for one. `FIVECROP_CUDA` may name a folder that holds
 * other things: those are neither counted nor removed.
 */
async function ownPaths(folder: string): Promise<{ readonly installations: string[]; readonly archives: string[] }> {
  const matching = async (place: string, pattern: RegExp) => {
    const names = await readdir(place).catch(() => []);
    return names.filter((name) => pattern.test(name)).map((name) => join(place, name));
  };
  const { downloads } = placesIn(folder);
  return { installations: await matching(folder, installation), archives: await matching(downloads, archiveFile) };
}

async function removeAll(paths: readonly string[]): Promise<void> {
  for (const path of paths) await rm(path, { recursive: true, force: true });
}

/** Removes what was downloaded, and its folder if nothing else is in it. */
async function removeArchives(folder: string): Promise<void> {
  await removeAll((await ownPaths(folder)).archives);
  await rmdir(placesIn(folder).downloads).catch(() => undefined);
}

/** Whether CUDA is installed, could be installed and what that takes, or cannot be, and why. Asks NVIDIA's driver. */
export async function lookForCuda(): Promise<CudaOutlook> {
  const files = cudaFilesFor(process.platform, process.arch);
  if (files && isWhole(files, placesIn(cudaFolder()).libraries)) return { state: 'here' };
  const driver = await nvidiaDriver();
  if (!driver.usable) return { state: 'impossible', reason: driver.reason };
  if (!files) return { state: 'impossible', reason: onlyPlatforms };
  const licences = [...new Set(files.archives.map(({ licence }) => licence))];
  const { mirrorFolder, mirrorAddress } = placesOf({});
  const source = mirrorFolder ?? mirrorAddress ?? new URL(files.archives[0]?.url ?? '').host;
  return { state: 'offered', bytes: archiveBytes(files), unpackedBytes: unpackedBytes(files), source, licences };
}

/** Bytes of what is installed, or was downloaded for that. */
export async function cudaBytesOnDisk(folder = cudaFolder()): Promise<number> {
  const { installations, archives } = await ownPaths(folder);
  const filesIn = async (path: string) => (await readdir(path).catch(() => [])).map((name) => join(path, name));
  const installed = (await Promise.all(installations.map(filesIn))).flat();
  const sizes = await Promise.all([...installed, ...archives].map(sizeOf));
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}

function archiveBytes({ archives }: CudaFiles): number {
  return archives.reduce((sum, { bytes }) => sum + bytes, 0);
}

function unpackedBytes({ archives }: CudaFiles): number {
  return archives.flatMap(({ members }) => members).reduce((sum, { bytes }) => sum + bytes, 0);
}

/**
 * Downloads CUDA's libraries, checks them, and unpacks them into a folder that is used only once it is whole. Does nothing
 * where they are there. What was downloaded before an interruption is used again. Throws a user error where they cannot be
 * had or there is no room, and a `CancelledError`.
 */
export async function installCuda(options: InstallOptions = {}): Promise<void> {
  const { files = cudaFilesFor(process.platform, process.arch), folder = cudaFolder(), signal } = options;
  if (!files) throw userError(`${onlyPlatforms}.`);
  const places = placesIn(folder);
  await preparedFolder(folder);
  await withFileLock(
    places.lock,
    async () => {
      // Whoever held the lock before may have installed it.
      if (isWhole(files, places.libraries)) return;
      try {
        await install(files, places, options);
      } catch (error) {
        if (signal?.aborted) throw cancelled();
        throw diskError(error, folder);
      }
    },
    signal,
  );
}

/** Libraries that are loaded are not for others to write. */
async function preparedFolder(folder: string): Promise<void> {
  try {
    await makePrivateFolder(folder);
  } catch (error) {
    throw userError(`The folder ${folder} cannot be used for CUDA’s libraries: ${messageOf(error)}.`, error);
  }
}

async function install(files: CudaFiles, places: Places, options: InstallOptions): Promise<void> {
  await requireRoom(files, places);
  const archives = await obtainArchives(files, places, options);
  const { unfinished, libraries } = places;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished);
  const total = unpackedBytes(files);
  let before = 0;
  for (const [archive, path] of archives) {
    const onProgress = (done: number) => options.onProgress?.({ what: 'Unpacking', done: before + done, total });
    await unpackLibraries(archive, path, unfinished, { ...options, onProgress });
    before += archive.members.reduce((sum, { bytes }) => sum + bytes, 0);
  }
  const folder = dirname(libraries);
  await removeAll((await ownPaths(folder)).installations.filter((path) => path !== unfinished));
  await rename(unfinished, libraries);
  await removeArchives(folder);
}

/** Throws an `Error` where the archive lacks a file, or it has another size. */
async function unpackLibraries(
  { members }: CudaArchive,
  path: string,
  folder: string,
  { onProgress, signal }: { readonly onProgress: (done: number) => void; readonly signal?: AbortSignal },
): Promise<void> {
  const missing = new Map(members.map((member) => [member.from, member]));
  const take = (from: string, bytes: number) => {
    const member = missing.get(from);
    if (member?.bytes !== bytes) return undefined;
    missing.delete(from);
    return member.to;
  };
  await unpackArchive(path, folder, { take, onProgress, flush: true, ...(signal && { signal }) });
  const [lacking] = missing.values();
  if (lacking) throw new Error(`${basename(path)} has no ${lacking.from} of ${lacking.bytes} bytes`);
}

/** Throws a user error where the disk has not enough room for what is still to be downloaded and for all that is unpacked. */
async function requireRoom(files: CudaFiles, { libraries, downloads }: Places): Promise<void> {
  const here = await Promise.all(
    files.archives.flatMap(({ file }) => [file, `${file}.part`]).map((name) => sizeOf(join(downloads, name))),
  );
  const missing = archiveBytes(files) - here.reduce((sum, bytes) => sum + bytes, 0);
  const needed = Math.max(0, missing) + unpackedBytes(files);
  const folder = dirname(libraries);
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free >= needed) return;
  throw userError(
    `CUDA’s libraries need ${megabytes(needed)} free in ${folder}, and ${megabytes(free)} are: free ${megabytes(needed - free)} there, then try again.`,
  );
}

async function sizeOf(path: string): Promise<number> {
  const there = await stat(path).catch(() => undefined);
  return there?.isFile() === true ? there.size : 0;
}

/** The archives and where each lies, whole and checked: downloaded, or in a mirror that is a folder. */
async function obtainArchives(
  files: CudaFiles,
  { downloads }: Places,
  options: InstallOptions,
): Promise<readonly (readonly [CudaArchive, string])[]> {
  const { mirror } = options;
  const { mirrorFolder, mirrorAddress } = placesOf(mirror === undefined ? {} : { mirror });
  const total = archiveBytes(files);
  let before = 0;
  await mkdir(downloads, { recursive: true });
  const obtained: (readonly [CudaArchive, string])[] = [];
  for (const archive of files.archives) {
    const path = join(mirrorFolder ?? downloads, archive.file);
    const onProgress = ({ received }: { readonly received: number }) =>
      options.onProgress?.({ what: 'Downloading', done: before + received, total });
    if (mirrorFolder !== undefined) await requireMirrored(archive, path, options.signal);
    else if (!(await isHere(archive, path, options.signal)))
      await download(archive, path, mirrorAddress, { ...options, onProgress });
    before += archive.bytes;
    options.onProgress?.({ what: 'Downloading', done: before, total });
    obtained.push([archive, path]);
  }
  return obtained;
}

/** Whether an archive is there from an earlier attempt. What is another file is removed. */
async function isHere(archive: CudaArchive, path: string, signal?: AbortSignal): Promise<boolean> {
  if (!existsSync(path)) return false;
  if ((await mismatchOf(path, archive, signal)) === undefined) return true;
  await rm(path);
  return false;
}

async function requireMirrored(archive: CudaArchive, path: string, signal?: AbortSignal): Promise<void> {
  if (!existsSync(path)) throw userError(`The mirror ${dirname(path)} has no ${archive.file}: copy it there.`);
  const mismatch = await mismatchOf(path, archive, signal);
  if (mismatch !== undefined) {
    throw userError(`${path} is another file than its name says (${mismatch}): copy it there again.`);
  }
}

/** Failures of the disk, not of the network. */
const diskCodes: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM']);

async function download(
  archive: CudaArchive,
  path: string,
  mirrorAddress: string | undefined,
  options: Omit<InstallOptions, 'onProgress'> & { onProgress: (progress: { readonly received: number }) => void },
): Promise<void> {
  const { onProgress, signal, retryMilliseconds, stallMilliseconds } = options;
  const url = mirrorAddress === undefined ? archive.url : `${mirrorAddress}/${archive.file}`;
  const { bytes, sha256 } = archive;
  try {
    await downloadFile({
      ...{ url, path, bytes, sha256, onProgress },
      ...(signal && { signal }),
      ...(retryMilliseconds === undefined ? {} : { retryMilliseconds }),
      ...(stallMilliseconds === undefined ? {} : { stallMilliseconds }),
    });
  } catch (error) {
    if (error instanceof CancelledError) throw error;
    // What the disk says is told by whoever called.
    if (diskCodes.has(codeOf(error) ?? '')) throw error instanceof UserError ? error.cause : error;
    const { host } = new URL(url);
    const advice =
      mirrorAddress === undefined
        ? 'check the connection'
        : 'check the mirror (FIVECROP_MIRROR, or the setting fivecrop.weightsMirror)';
    const why = whyFetchFailed(error);
    // Some reasons say already what to do.
    const next = why.includes('try again') ? '' : ` What has arrived is kept: ${advice}, then try again.`;
    throw userError(
      `${basename(path)} of CUDA’s libraries cannot be downloaded, because ${host} ${why}.${next}`,
      error,
    );
  }
}

/** Removes CUDA's libraries, and what was downloaded for them. Whether there was anything. Throws a user error where that fails. */
export async function removeCuda({
  folder = cudaFolder(),
  signal,
}: Pick<InstallOptions, 'folder' | 'signal'> = {}): Promise<boolean> {
  if (!existsSync(folder)) return false;
  const { lock } = placesIn(folder);
  return withFileLock(
    lock,
    async () => {
      const { installations, archives } = await ownPaths(folder);
      try {
        await removeAll(installations);
        await removeArchives(folder);
      } catch (error) {
        // Windows removes no library that a process has open.
        throw userError(
          `CUDA’s libraries in ${folder} cannot be removed (${messageOf(error)}): end the trainings that use them, then try again.`,
          error,
        );
      }
      return installations.length + archives.length > 0;
    },
    signal,
  );
}
