import { readdir } from 'node:fs/promises';
import type { TestContext } from 'node:test';
import { temporaryFolder } from '../../unit/training/tinyDataset.ts';

/**
 * Tells, when called, which dry runs have left something among temporary files. Until the test ends this process keeps
 * those in a folder of its own: files of tests beside it make dry runs too.
 */
export async function watchDryRuns(t: TestContext): Promise<() => Promise<string[]>> {
  const folder = await temporaryFolder(t);
  for (const name of ['TMPDIR', 'TEMP']) {
    const before = process.env[name];
    process.env[name] = folder;
    t.after(() => {
      if (before === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = before;
    });
  }
  return async () => (await readdir(folder)).filter((name) => name.startsWith('fivecrop-dry-run-'));
}
