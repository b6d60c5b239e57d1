import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';

/** The ordinary files in a folder and in those below it, by their paths in it. */
export async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}
