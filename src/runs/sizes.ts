import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { savedCheckpoint } from './checkpointFiles.ts';

/** A file of a run that its network can be used from. */
export interface UsableFile {
  readonly name: string;
  readonly bytes: number;
}

/** The best checkpoint of a run, else its last, and the ONNX files in its folder; a file that just went is left out. */
export async function usableFiles(run: string): Promise<UsableFile[]> {
  const checkpoint = savedCheckpoint(run);
  const names = await readdir(run).catch(() => []);
  const exported = names.filter((name) => name.toLowerCase().endsWith('.onnx')).sort();
  const files = [...(checkpoint === undefined ? [] : [checkpoint]), ...exported.map((name) => join(run, name))];
  const sizes = await Promise.all(
    files.map(async (file) => {
      const status = await stat(file).catch(() => undefined);
      return status?.isFile() ? [{ name: basename(file), bytes: status.size }] : [];
    }),
  );
  return sizes.flat();
}
