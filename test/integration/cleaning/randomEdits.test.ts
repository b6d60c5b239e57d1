import assert from 'node:assert/strict';
import { createHash, randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createDataEditor } from '../../../src/ml/cleaning/dataEditor.ts';
import { scanDataset } from '../../../src/ml/data/scanDataset.ts';
import { createRandom, type Random } from '../../../src/ml/graph/random.ts';
import { type DataEdit, journalFile } from '../../../src/protocol/dataEdits.ts';
import { UserError } from '../../../src/protocol/errors.ts';
import { ignoreFile } from '../../../src/protocol/ignoreList.ts';
import { killableDisk } from './killableDisk.ts';

const seed = Number(process.env['FIVECROP_SEED'] ?? randomInt(2 ** 31));
console.log(`seed ${seed}`);
const unsplit = { validShare: 0, testShare: 0, seed: 0 };

/** A data folder with these files, each of which holds its own path. */
async function dataFolder(t: TestContext, files: readonly string[]): Promise<string> {
  // In memory where there is such a folder: every edit waits for the disk twice.
  const root = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'fivecrop-clean-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  for (const file of files) {
    await mkdir(join(root, file, '..'), { recursive: true });
    await writeFile(join(root, file), file);
  }
  return root;
}

/** Every file and folder with what is in it, without the journal and what a killed process left unfinished. */
async function contentOf(root: string): Promise<Map<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const own = entries.filter(({ name }) => name !== journalFile && !name.endsWith('.tmp'));
  const content = await Promise.all(
    own.map(async (entry) => {
      const path = join(entry.parentPath, entry.name);
      return [relative(root, path), entry.isFile() ? await readFile(path, 'utf8') : 'folder'] as const;
    }),
  );
  return new Map(content.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const hashOf = (content: ReadonlyMap<string, string>) => createHash('sha256').update(JSON.stringify([...content])).digest('hex'); // prettier-ignore

/** The images of the data set by class folder. */
async function classesOf(root: string): Promise<Map<string, string[]>> {
  const { classes, splits } = await scanDataset(root, unsplit);
  const found = new Map(classes.map(({ folder }) => [folder, [] as string[]]));
  for (const { file, classIndex } of [...splits.train, ...splits.valid, ...splits.test]) {
    found.get(classes[classIndex]?.folder ?? '')?.push(relative(root, file));
  }
  return found;
}

function randomEdit(random: Random, classes: ReadonlyMap<string, string[]>): DataEdit {
  const folders = [...classes.keys()];
  const pick = <Item>(items: readonly Item[]): Item => items[random.integer(items.length)] as Item;
  const [from, to] = [pick(folders), random.integer(6) === 0 ? `new ${random.integer(40)}` : pick(folders)];
  const image = pick(classes.get(from) ?? []);
  const kind = pick(['move', 'move', 'move', 'putAside', 'keep', 'rename', 'merge'] as const);
  if (kind === 'move') return { kind, images: [image], to };
  return kind === 'putAside' || kind === 'keep' ? { kind, images: [image] } : { kind, from, to };
}

for (const files of [
  Array.from({ length: 120 }, (_, at) => `class ${at % 6}/${at % 20}.jpg`.replace('class 5/', 'class 5/deep/')),
  Array.from({ length: 120 }, (_, at) => `${['train', 'valid', 'test'][at % 3] ?? ''}/class ${at % 7}/${at}.jpg`),
]) {
  test(`five hundred random edits, undos and redos of ${files[0] ?? ''}, with kills in between, end where they began`, async (t) => {
    const root = await dataFolder(t, files);
    await writeFile(join(root, ignoreFile), '# mine\nclass 1/7.jpg');
    const began = await contentOf(root);
    const random = createRandom(seed, 'edits', files.length);
    const disk = killableDisk(root);
    t.after(disk.release);
    const foldersAre = (files[0] ?? '').startsWith('train') ? 'splits' : 'classes';
    let editor = createDataEditor(root);
    let [kills, made, refused] = [0, 0, 0];
    for (let turn = 0; turn < 500; turn++) {
      // With too few classes left, there is no data set.
      const classes = await classesOf(root).catch(() => undefined);
      const dice = classes && classes.size > 2 ? random.integer(10) : 0;
      if (random.integer(4) === 0) disk.killAfter(random.integer(6));
      try {
        if (dice < 3) await editor.undo();
        else if (dice < 5) await editor.redo();
        else await editor.edit(randomEdit(random, classes ?? new Map()), foldersAre);
        made++;
      } catch (error) {
        // What may not be, as a class that is there already, is refused in one sentence and changes nothing.
        refused += Number(error instanceof UserError);
      }
      if (!disk.restart()) continue;
      kills++;
      editor = createDataEditor(root);
      await editor.edits();
      // Whatever was begun is whole or has not been: every image is there once.
      const images = [...(await contentOf(root))].filter(([path]) => path.endsWith('.jpg'));
      assert.deepEqual(images.map(([, content]) => content).sort(), [...new Set(files)].sort());
    }
    assert.ok(kills > 30 && made > 200 && refused < 250, `${kills} kills, ${made} made, ${refused} refused`);
    while (await editor.undo());
    assert.deepEqual(await contentOf(root), began);
    assert.equal(hashOf(await contentOf(root)), hashOf(began));
    // And forward again.
    let count = 0;
    while (await editor.redo()) count++;
    assert.equal((await editor.edits()).length, count);
    while (await editor.undo());
    assert.equal(hashOf(await contentOf(root)), hashOf(began));
  });
}
