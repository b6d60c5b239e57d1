import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { cacheFolder } from '../../../cache/cacheFolder.ts';
import { type CudaFiles, cudaFilesFor, cudaVersion } from './cudaFiles.ts';

/** Where CUDA's libraries are kept: `FIVECROP_CUDA`, which the editor sets to its own storage, else in the cache folder. */
export function cudaFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const set = environment['FIVECROP_CUDA'];
  return set === undefined || set === '' ? join(cacheFolder(environment), 'cuda') : set;
}

/** The folder of the libraries that this version of ours uses, whether they are there or not. */
export function librariesFolder(): string {
  return join(cudaFolder(), cudaVersion);
}

/** Whether all of an installation is in a folder, by name and size. The hashes were compared when it was installed. */
export function isWhole({ archives }: CudaFiles, folder: string): boolean {
  return archives.every(({ members }) =>
    members.every(({ to, bytes }) => statSync(join(folder, to), { throwIfNoEntry: false })?.size === bytes),
  );
}

/** What of CUDA is installed here: its files and where they lie. */
export interface InstalledCuda {
  readonly files: CudaFiles;
  readonly folder: string;
}

/** CUDA's libraries as they are installed, where they are whole. */
export function installedCuda(): InstalledCuda | undefined {
  const files = cudaFilesFor(process.platform, process.arch);
  const folder = librariesFolder();
  return files && isWhole(files, folder) ? { files, folder } : undefined;
}

/** Changes when CUDA is installed or removed, and, on Linux, with NVIDIA's driver: what was found before is then found anew. */
export function cudaFingerprint(): string {
  return [installedCuda() ? cudaVersion : '', loadedDriver()].join(' ');
}

/** What the kernel says of NVIDIA's driver. */
function loadedDriver(): string {
  try {
    return readFileSync('/proc/driver/nvidia/version', 'utf8');
  } catch {
    return '';
  }
}
