import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { TestContext } from 'node:test';
import { scanDataset } from '../../../src/ml/data/scanDataset.ts';
import { journalFile } from '../../../src/protocol/dataEdits.ts';

const unsplit = { validShare: 0, testShare: 0, seed: 0 };

/** A data folder in `parent` with these files, each of which holds its own path. */
export async function dataFolder(t: TestContext, files: readonly string[], parent = tmpdir()): Promise<string> {
  const root = await mkdtemp(join(parent, 'fivecrop-clean-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  for (const file of files) {
    await mkdir(join(root, file, '..'), { recursive: true });
    await writeFile(join(root, file), file);
  }
  return root;
}

/** Every file and folder with what is in it, without the journal and what `isLeftOut` names. */
export async function contentOf(
  root: string,
  isLeftOut: (name: string) => boolean = () => false,
): Promise<Map<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const own = entries.filter(({ name }) => name !== journalFile && !isLeftOut(name));
  const content = await Promise.all(
    own.map(async (entry) => {
      const path = join(entry.parentPath, entry.name);
      return [relative(root, path), entry.isFile() ? await readFile(path, 'utf8') : 'folder'] as const;
    }),
  );
  return new Map(content.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The images of the data set by class folder. */
export async function classesOf(root: string): Promise<Map<string, string[]>> {
  const { classes, splits } = await scanDataset(root, unsplit);
  const found = new Map(classes.map(({ folder }) => [folder, [] as string[]]));
  for (const { file, classIndex } of [...splits.train, ...splits.valid, ...splits.test]) {
    found.get(classes[classIndex]?.folder ?? '')?.push(relative(root, file));
  }
  return found;
}
