import { createHash } from 'node:crypto';
import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../cache/cacheFolder.ts';
import { makePrivateFolder, privateFileMode } from '../cache/privateFolder.ts';

/*
 * What was tried and can be used is remembered as an empty file in the user's own cache folder, named by a hash of all
 * that the outcome depends on. What failed is not: a machine may have been busy.
 */

function marker(facts: readonly (string | number)[]): string {
  const key = createHash('sha256').update(JSON.stringify(facts)).digest('hex');
  return join(folder(), key);
}

function folder(): string {
  return join(cacheFolder(), 'tried-models');
}

/** Whether a model was tried with this outcome before. */
export async function wasTried(facts: readonly (string | number)[]): Promise<boolean> {
  try {
    await makePrivateFolder(folder());
    await access(marker(facts));
    return true;
  } catch {
    return false;
  }
}

/** Remembers it. A folder that cannot be written costs the next use the same second again. */
export async function rememberTried(facts: readonly (string | number)[]): Promise<void> {
  await writeFile(marker(facts), '', { mode: privateFileMode }).catch(() => undefined);
}
