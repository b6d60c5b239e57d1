import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createDataEditor } from '../../../src/ml/cleaning/dataEditor.ts';
import { type DataEdit, type EditStep, journalFile } from '../../../src/protocol/dataEdits.ts';
import { UserError } from '../../../src/protocol/errors.ts';
import { ignoreFile } from '../../../src/protocol/ignoreList.ts';
import { contentOf, dataFolder } from './editedFolder.ts';

/** A folder beside the data with these images, each of which holds its own name. */
async function newImages(t: TestContext, names: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-new-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const name of names) await writeFile(join(folder, name), name);
  return folder;
}

const refuses = (work: Promise<unknown>, sentence: RegExp) =>
  assert.rejects(work, (error) => error instanceof UserError && sentence.test(error.message));

test('a label copies an image to the training images of its class, and undo takes the copy away', async (t) => {
  const root = await dataFolder(t, ['Train/rose/1.jpg', 'test/rose/2.jpg']);
  const folder = await newImages(t, ['1.jpg', '3.jpg']);
  const [began, beside] = [await contentOf(root), await contentOf(folder)];
  const editor = createDataEditor(root);
  const label = (name: string, to: string) =>
    editor.edit({ kind: 'label', images: [join(folder, name)], to }, 'splits');
  await label('1.jpg', 'rose');
  await label('3.jpg', 'tulip');
  const labelled = await contentOf(root);
  assert.equal(labelled.get('Train/rose/1 (2).jpg'), '1.jpg');
  assert.equal(labelled.get('Train/tulip/3.jpg'), '3.jpg');
  assert.equal(labelled.size, began.size + 3);
  // A new process knows of it, too.
  const later = createDataEditor(root);
  await later.edit({ kind: 'skip', images: [join(folder, '3.jpg')] }, 'splits');
  for (let turn = 0; turn < 3; turn++) await later.undo();
  assert.deepEqual(await contentOf(root), began);
  for (let turn = 0; turn < 3; turn++) await later.redo();
  assert.deepEqual(await contentOf(root), labelled);
  assert.deepEqual(await contentOf(folder), beside);
});

test('what has no split gets its class folder at once, and in data without a training folder one is made', async (t) => {
  const folder = await newImages(t, ['1.jpg']);
  const label: DataEdit = { kind: 'label', images: [join(folder, '1.jpg')], to: 'rose' };
  const empty = await dataFolder(t, []);
  await createDataEditor(empty).edit(label, 'classes');
  assert.deepEqual([...(await contentOf(empty)).keys()], ['rose', 'rose/1.jpg']);
  const tested = await dataFolder(t, ['test/rose/1.jpg']);
  await createDataEditor(tested).edit(label, 'splits');
  assert.ok((await contentOf(tested)).has('train/rose/1.jpg'));
  await createDataEditor(tested).undo();
  assert.deepEqual([...(await contentOf(tested)).keys()], ['test', 'test/rose', 'test/rose/1.jpg']);
});

test('a copy is taken away only while its original is there, and both are what was labelled', async (t) => {
  const root = await dataFolder(t, ['rose/1.jpg', 'lily/2.jpg']);
  const folder = await newImages(t, ['3.jpg']);
  const editor = createDataEditor(root);
  await editor.edit({ kind: 'label', images: [join(folder, '3.jpg')], to: 'rose' }, 'classes');
  const labelled = await contentOf(root);
  await rm(join(folder, '3.jpg'));
  await refuses(editor.undo(), /3\.jpg is gone/u);
  await writeFile(join(folder, '3.jpg'), 'another');
  await refuses(editor.undo(), /has changed/u);
  await rm(join(folder, '3.jpg'));
  // The copy itself under another name is no original.
  await symlink(join(root, 'rose/3.jpg'), join(folder, '3.jpg'));
  await refuses(editor.undo(), /lies in/u);
  assert.deepEqual(await contentOf(root), labelled);
  await rm(join(folder, '3.jpg'));
  await writeFile(join(folder, '3.jpg'), '3.jpg');
  await writeFile(join(root, 'rose/3.jpg'), 'edited');
  await refuses(editor.undo(), /has changed since it was labeled and is not removed/u);
  await writeFile(join(root, 'rose/3.jpg'), '3.jpg');
  assert.ok(await editor.undo());
  await writeFile(join(folder, '3.jpg'), 'another');
  await refuses(editor.redo(), /has changed since it was labeled/u);
});

test('images of the data, what is no image, and places that are put aside are not labelled', async (t) => {
  const root = await dataFolder(t, ['rose/1.jpg', 'lily/2.jpg']);
  const folder = await newImages(t, ['3.jpg', 'notes.txt']);
  await writeFile(join(root, ignoreFile), 'lily\n');
  const began = await contentOf(root);
  const editor = createDataEditor(root);
  const label = (image: string, to = 'rose') => editor.edit({ kind: 'label', images: [image], to }, 'classes');
  await refuses(label(join(root, 'lily/2.jpg')), /lies in/u);
  await refuses(label(join(folder, 'notes.txt')), /not the absolute path of an image/u);
  await refuses(label('3.jpg'), /not the absolute path of an image/u);
  await refuses(label(join(folder, '4.jpg')), /is gone/u);
  await refuses(label(join(folder, '3.jpg'), 'lily'), /aside/u);
  await refuses(label(join(folder, '3.jpg'), '../rose'), /cannot be called/u);
  assert.deepEqual(await contentOf(root), began);
});

test('a journal that came with the data copies no file that its writer does not have, and takes away none that is alone', async (t) => {
  const root = await dataFolder(t, ['rose/1.jpg', 'lily/2.jpg']);
  const folder = await newImages(t, ['secret.jpg']);
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  const edit = { kind: 'label', images: [join(folder, 'secret.jpg')], to: 'rose' };
  const write = async (steps: readonly EditStep[], ...after: object[]) => {
    const lines = [{ event: 'edit', version: 1, id: 1, time: '', edit, steps }, { event: 'done', id: 1 }, ...after];
    await writeFile(join(root, journalFile), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  };
  const began = await contentOf(root);
  const from = join(folder, 'secret.jpg');
  const undone = [{ event: 'undo', id: 1, time: '' }, { event: 'done', id: 1 }]; // prettier-ignore
  await write([{ step: 'copy', from, to: 'rose/2.jpg', sha256: sha256('guessed') }], ...undone);
  await refuses(createDataEditor(root).redo(), /has changed/u);
  await write([{ step: 'copy', from: join(folder, 'gone.jpg'), to: 'rose/1.jpg', sha256: sha256('rose/1.jpg') }]);
  await refuses(createDataEditor(root).undo(), /gone/u);
  await write([{ step: 'copy', from: join(root, 'rose/1.jpg'), to: 'rose/1.jpg', sha256: sha256('rose/1.jpg') }]);
  await refuses(createDataEditor(root).undo(), /lies in/u);
  await write([{ step: 'copy', from, to: '../secret.jpg', sha256: sha256('secret.jpg') }], ...undone);
  await refuses(createDataEditor(root).redo(), /cannot be in the data folder/u);
  assert.deepEqual(await contentOf(root), began);
  assert.deepEqual(await readdir(folder), ['secret.jpg']);
  assert.equal(await readFile(from, 'utf8'), 'secret.jpg');
});

test('what is left of a copy that a process could not finish does not stand in the way', async (t) => {
  const root = await dataFolder(t, ['rose/1.jpg', 'lily/2.jpg']);
  const folder = await newImages(t, ['3.jpg']);
  const began = await contentOf(root);
  const from = join(folder, '3.jpg');
  const steps = [{ step: 'makeFolder', folder: 'tulip' }, { step: 'copy', from, to: 'tulip/3.jpg', sha256: createHash('sha256').update('3.jpg').digest('hex') }]; // prettier-ignore
  const edit = { kind: 'label', images: [from], to: 'tulip' };
  await writeFile(join(root, journalFile), `${JSON.stringify({ event: 'edit', version: 1, id: 1, time: '', edit, steps })}\n`); // prettier-ignore
  await mkdir(join(root, 'tulip'));
  const left = join(root, 'tulip/3.jpg.0.999999999-00000000-00000000.tmp');
  await writeFile(left, '3.');
  await utimes(left, 1, 1);
  const editor = createDataEditor(root);
  assert.equal((await editor.edits()).length, 1);
  assert.equal((await contentOf(root)).get('tulip/3.jpg'), '3.jpg');
  await editor.undo();
  assert.deepEqual(await contentOf(root), began);
});
