import assert from 'node:assert/strict';
import { createHash, randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createDataEditor } from '../../../src/ml/cleaning/dataEditor.ts';
import { createRandom, type Random } from '../../../src/ml/graph/random.ts';
import type { DataEdit } from '../../../src/protocol/dataEdits.ts';
import { UserError } from '../../../src/protocol/errors.ts';
import { ignoreFile } from '../../../src/protocol/ignoreList.ts';
import { classesOf, contentOf as contentOfFolder, dataFolder } from '../../unit/cleaning/editedFolder.ts';
import { killableDisk } from './killableDisk.ts';

const seed = Number(process.env['FIVECROP_SEED'] ?? randomInt(2 ** 31));
console.log(`seed ${seed}`);
// In memory where there is such a folder: every edit waits for the disk twice.
const parent = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
/** What a killed process may leave unfinished is no content. */
const contentOf = (root: string) => contentOfFolder(root, (name) => name.endsWith('.tmp'));
const hashOf = (content: ReadonlyMap<string, string>) => createHash('sha256').update(JSON.stringify([...content])).digest('hex'); // prettier-ignore

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
    const root = await dataFolder(t, files, parent);
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

test('five hundred labels, skips, undos and redos, with kills in between, end where they began', async (t) => {
  const root = await dataFolder(t, ['train/rose/1.jpg', 'train/lily/2.jpg', 'valid/rose/3.jpg'], parent);
  const folder = await dataFolder(
    t,
    Array.from({ length: 400 }, (_, at) => `${at % 7}/${at}.jpg`),
    parent,
  );
  const [began, beside] = [hashOf(await contentOf(root)), hashOf(await contentOf(folder))];
  const images = [...(await contentOf(folder)).keys()].filter((path) => path.endsWith('.jpg'));
  const random = createRandom(seed, 'labels');
  const disk = killableDisk(root);
  t.after(disk.release);
  let editor = createDataEditor(root);
  const left = new Set(images);
  let [kills, made] = [0, 0];
  for (let turn = 0; turn < 500; turn++) {
    const dice = random.integer(10);
    const image = [...left][random.integer(left.size)] ?? '';
    if (random.integer(8) === 0) disk.killAfter(random.integer(6));
    try {
      if (dice < 2) await editor.undo();
      else if (dice < 3) await editor.redo();
      else if (dice < 4) await editor.edit({ kind: 'skip', images: [join(folder, image)] }, 'splits');
      else await editor.edit({ kind: 'label', images: [join(folder, image)], to: `class ${random.integer(9)}` }, 'splits'); // prettier-ignore
      made++;
    } catch (error) {
      assert.ok(error instanceof Error && error.message.includes('killed'), String(error));
    }
    if (disk.restart()) {
      kills++;
      editor = createDataEditor(root);
      // Recovery removes what a process left that is gone, which this one is not.
      for (const path of await readdir(root, { recursive: true })) if (path.endsWith('.tmp')) await rm(join(root, path)); // prettier-ignore
    }
    const done = (await editor.edits()).flatMap(({ edit, undone }) => (edit.kind === 'label' && !undone ? edit.images : [])); // prettier-ignore
    if (turn % 50 !== 49) continue;
    // Each label is one copy, and no image is labelled twice here.
    const copies = [...(await contentOf(root))].filter(([path]) => path.startsWith('train/class') && path.endsWith('.jpg')); // prettier-ignore
    assert.deepEqual(copies.map(([, content]) => content).sort(), done.map((path) => path.slice(folder.length + 1)).sort()); // prettier-ignore
  }
  assert.ok(kills > 15 && made > 400, `${kills} kills, ${made} made`);
  while (await editor.undo());
  assert.equal(hashOf(await contentOf(root)), began);
  let count = 0;
  while (await editor.redo()) count++;
  assert.equal((await editor.edits()).length, count);
  while (await editor.undo());
  assert.equal(hashOf(await contentOf(root)), began);
  assert.equal(hashOf(await contentOf(folder)), beside);
});
