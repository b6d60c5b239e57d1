import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, userError } from '../../protocol/errors.ts';

/** The folders that lie directly in `parent`, absolute; none where there is no such folder. */
export async function listRunFolders(parent: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(parent, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .map(({ name }) => join(parent, name));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw userError(`The runs in ${parent} cannot be listed: ${messageOf(error)}.`, error);
  }
}
