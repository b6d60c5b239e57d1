import assert from 'node:assert/strict';
import fs from 'node:fs';
import { appendFile, readdir, readFile, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { createDataEditor } from '../../../src/ml/cleaning/dataEditor.ts';
import { appendLine, type Journal } from '../../../src/ml/cleaning/journal.ts';
import { type DataEdit, journalFile } from '../../../src/protocol/dataEdits.ts';
import { UserError } from '../../../src/protocol/errors.ts';
import { ignoreFile } from '../../../src/protocol/ignoreList.ts';
import { classesOf, contentOf, dataFolder } from './editedFolder.ts';

const animals = ['cat/1.jpg', 'cat/2.jpg', 'dog/1.jpg', 'dog/3.jpg', 'hen/4.jpg', 'hen/5.jpg'];
const split = ['train/cat/1.jpg', 'train/cat/2.jpg', 'train/dog/3.jpg', 'test/cat/4.jpg', 'test/dog/5.jpg', 'test/hen/6.jpg']; // prettier-ignore

test('an image that is moved stays in its split, and gets another name where its own is taken', async (t) => {
  const root = await dataFolder(t, [...split, 'train/dog/1.jpg']);
  const editor = createDataEditor(root);
  await editor.edit({ kind: 'move', images: ['train/cat/1.jpg', 'test/cat/4.jpg'], to: 'dog' }, 'splits');
  assert.deepEqual((await readdir(join(root, 'train/dog'))).sort(), ['1 (2).jpg', '1.jpg', '3.jpg']);
  assert.deepEqual((await readdir(join(root, 'test/dog'))).sort(), ['4.jpg', '5.jpg']);
  await editor.edit({ kind: 'move', images: ['train/cat/2.jpg'], to: 'hen' }, 'splits');
  assert.equal(await readFile(join(root, 'train/hen/2.jpg'), 'utf8'), 'train/cat/2.jpg');
  await editor.undo();
  assert.deepEqual((await readdir(join(root, 'train'))).sort(), ['cat', 'dog']);
});

test('a merged class is gone, a renamed one has its images, and what was put aside in them stays put aside', async (t) => {
  const root = await dataFolder(t, animals);
  const editor = createDataEditor(root);
  await editor.edit({ kind: 'putAside', images: ['cat/1.jpg', 'hen/4.jpg'] }, 'classes');
  await editor.edit({ kind: 'merge', from: 'cat', to: 'dog' }, 'classes');
  await editor.edit({ kind: 'rename', from: 'hen', to: 'chicken' }, 'classes');
  assert.deepEqual(Object.fromEntries(await classesOf(root)), {
    chicken: ['chicken/5.jpg'],
    dog: ['dog/1.jpg', 'dog/2.jpg', 'dog/3.jpg'],
  });
  assert.match(await readFile(join(root, ignoreFile), 'utf8'), /^#.*\ndog\/1 \(2\)\.jpg\nchicken\/4\.jpg\n$/u);
  while (await editor.undo());
  assert.equal((await readdir(root)).includes(ignoreFile), false);
  assert.deepEqual([...(await classesOf(root)).values()].flat(), animals);
});

test('an ignore list that somebody edits meanwhile keeps their lines when an edit is taken back', async (t) => {
  const root = await dataFolder(t, animals);
  const editor = createDataEditor(root);
  await editor.edit({ kind: 'putAside', images: ['cat/1.jpg'] }, 'classes');
  await appendFile(join(root, ignoreFile), 'dog/\n');
  await editor.edit({ kind: 'putAside', images: ['hen/4.jpg'] }, 'classes');
  await writeFile(join(root, ignoreFile), `hen/5.jpg\n${await readFile(join(root, ignoreFile), 'utf8')}`);
  await editor.undo();
  await editor.undo();
  const left = (await readFile(join(root, ignoreFile), 'utf8')).split('\n').filter((line) => !line.startsWith('#'));
  assert.deepEqual(left, ['hen/5.jpg', 'dog/', '']);
});

test('what cannot be done is refused in a sentence, and nothing changes', async (t) => {
  const root = await dataFolder(t, animals);
  await symlink('2.jpg', join(root, 'cat/link.jpg'));
  await symlink('dog', join(root, 'linked'));
  const began = await contentOf(root);
  const editor = createDataEditor(root);
  const refusals: [DataEdit, RegExp][] = [
    [
      { kind: 'move', images: ['cat/9.jpg'], to: 'dog' },
      /cat\/9\.jpg is gone: somebody else has moved or deleted it\.$/u,
    ],
    [{ kind: 'move', images: ['cat/link.jpg'], to: 'dog' }, /is a link, which is not moved/u],
    [{ kind: 'move', images: ['linked/1.jpg'], to: 'cat' }, /linked is a link/u],
    [{ kind: 'move', images: ['cat/1.jpg'], to: 'cat' }, /in the class cat already/u],
    [{ kind: 'move', images: ['cat/1.jpg'], to: 'Dog' }, /differs from Dog only in case/u],
    [{ kind: 'move', images: ['cat/1.jpg'], to: '../out' }, /cannot be called/u],
    [{ kind: 'move', images: ['cat/1.jpg'], to: 'Fivecrop-Ignore.txt' }, /cannot be called/u],
    [{ kind: 'move', images: ['cat/1.jpg'], to: journalFile }, /cannot be called/u],
    [{ kind: 'rename', from: 'cat', to: journalFile.toUpperCase() }, /cannot be called/u],
    [{ kind: 'move', images: ['cat/1.jpg'], to: 'train' }, /read as a split/u],
    [{ kind: 'move', images: ['../other/cat/1.jpg'], to: 'dog' }, /is not in a class folder/u],
    [{ kind: 'move', images: ['cat/1.jpg', 'cat/9.jpg'], to: 'dog' }, /is gone/u],
    [{ kind: 'rename', from: 'cat', to: 'dog' }, /merge cat into it/u],
    [{ kind: 'merge', from: 'cat', to: 'cow' }, /There is no class cow/u],
    [{ kind: 'rename', from: 'cow', to: 'ox' }, /There is no class cow/u],
  ];
  for (const [edit, sentence] of refusals) {
    await assert.rejects(
      editor.edit(edit, 'classes'),
      (error) => error instanceof UserError && sentence.test(error.message),
    );
  }
  assert.deepEqual(await contentOf(root), began);
  assert.deepEqual(await editor.edits(), []);
});

test('an edit whose image somebody else has deleted since is not taken back by half', async (t) => {
  const root = await dataFolder(t, animals);
  const editor = createDataEditor(root);
  await editor.edit({ kind: 'move', images: ['cat/1.jpg', 'cat/2.jpg'], to: 'hen' }, 'classes');
  await unlink(join(root, 'hen/1.jpg'));
  const before = await contentOf(root);
  await assert.rejects(editor.undo(), /hen\/1\.jpg is gone/u);
  assert.deepEqual(await contentOf(root), before);
  assert.equal((await editor.edits())[0]?.undone, false);
});

test('an edit that a killed process has made, of which an image is gone since, is taken back with its list', async (t) => {
  const root = await dataFolder(t, animals);
  const editor = createDataEditor(root);
  await editor.edit({ kind: 'putAside', images: ['cat/1.jpg'] }, 'classes');
  await editor.edit({ kind: 'putAside', images: ['cat/2.jpg'] }, 'classes');
  const list = await readFile(join(root, ignoreFile), 'utf8');
  await editor.edit({ kind: 'move', images: ['cat/1.jpg', 'cat/2.jpg'], to: 'cow' }, 'classes');
  // All is made, and the line that says so is not written.
  const journal = join(root, journalFile);
  await writeFile(journal, (await readFile(journal, 'utf8')).replace(/.*\n$/u, ''));
  await unlink(join(root, 'cow/1.jpg'));
  assert.deepEqual(
    (await createDataEditor(root).edits()).map(({ edit }) => edit.kind),
    ['putAside', 'putAside'],
  );
  assert.match(await readFile(journal, 'utf8'), /"event":"failed","id":3.*\n$/u);
  assert.deepEqual(await readdir(join(root, 'cat')), ['2.jpg']);
  assert.equal((await readdir(root)).includes('cow'), false);
  assert.equal(await readFile(join(root, ignoreFile), 'utf8'), list);
});

test('an edit is refused that would put aside more or less than a list around, inside or of the folder says', async (t) => {
  const parent = await dataFolder(
    t,
    [...animals, 'cat/deep/6.jpg'].map((file) => `data/${file}`),
  );
  const root = join(parent, 'data');
  const move: DataEdit = { kind: 'move', images: ['cat/1.jpg'], to: 'hen' };
  const merge: DataEdit = { kind: 'merge', from: 'cat', to: 'hen' };
  const rename: DataEdit = { kind: 'rename', from: 'cat', to: 'lion' };
  const refusals: [list: string, lines: string, edit: DataEdit][] = [
    [`data/${ignoreFile}`, 'cat', move],
    [`data/${ignoreFile}`, 'hen', move],
    [`data/${ignoreFile}`, 'hen/1.jpg', move],
    [`data/${ignoreFile}`, 'lion/1.jpg', rename],
    [ignoreFile, 'data/cat/1.jpg', move],
    [ignoreFile, 'data/cat/deep/6.jpg', rename],
    [ignoreFile, 'data/hen', merge],
    [`data/cat/${ignoreFile}`, '1.jpg', move],
    [`data/hen/${ignoreFile}`, '1.jpg', move],
    [`data/cat/${ignoreFile}`, '9.jpg', merge],
  ];
  for (const [list, lines, edit] of refusals) {
    await writeFile(join(parent, list), `${lines}\n`);
    const before = await contentOf(parent);
    await assert.rejects(
      createDataEditor(root).edit(edit, 'classes'),
      (error) => error instanceof UserError && error.message.startsWith(join(parent, list)),
      `${list}: ${lines}`,
    );
    assert.deepEqual(await contentOf(parent), before);
    await rm(join(parent, list));
  }
  // A list that lies in what is moved goes along.
  await writeFile(join(root, 'cat', ignoreFile), 'deep\n');
  assert.deepEqual((await classesOf(root)).get('cat'), ['cat/1.jpg', 'cat/2.jpg']);
  await createDataEditor(root).edit(rename, 'classes');
  assert.deepEqual((await classesOf(root)).get('lion'), ['lion/1.jpg', 'lion/2.jpg']);
});

test('an image that is a link, or lies behind one, is kept', async (t) => {
  const root = await dataFolder(t, animals);
  await symlink('2.jpg', join(root, 'cat/link.jpg'));
  await symlink('dog', join(root, 'linked'));
  const editor = createDataEditor(root);
  await editor.edit({ kind: 'keep', images: ['cat/link.jpg', 'linked/1.jpg'] }, 'classes');
  assert.equal((await editor.edits()).length, 1);
});

test('an image is refused under another spelling than the disk’s, which finds it nevertheless', async (t) => {
  const root = await dataFolder(t, animals);
  const original = fs.promises.lstat;
  t.after(() => {
    Object.assign(fs.promises, { lstat: original });
    syncBuiltinESMExports();
  });
  // As a disk that does not tell upper from lower case.
  Object.assign(fs.promises, { lstat: (path: string) => original(join(root, relative(root, path).toLowerCase())) });
  syncBuiltinESMExports();
  const editor = createDataEditor(root);
  for (const [image, sentence] of [
    ['cat/1.JPG', /1\.JPG is spelled differently on the disk/u],
    ['Cat/1.jpg', /Cat is spelled differently on the disk/u],
  ] as const) {
    for (const kind of ['putAside', 'keep'] as const)
      await assert.rejects(editor.edit({ kind, images: [image] }, 'classes'), sentence);
    await assert.rejects(editor.edit({ kind: 'move', images: [image], to: 'hen' }, 'classes'), sentence);
  }
  await editor.edit({ kind: 'putAside', images: ['cat/1.jpg'] }, 'classes');
});

test('a folder that somebody has deleted with its images is not made again when its edit cannot be taken back', async (t) => {
  const root = await dataFolder(t, animals);
  const editor = createDataEditor(root);
  await editor.edit({ kind: 'move', images: ['cat/1.jpg'], to: 'cow' }, 'classes');
  await rm(join(root, 'cow'), { recursive: true });
  const before = await contentOf(root);
  await assert.rejects(editor.undo(), /cow\/1\.jpg is gone/u);
  assert.deepEqual(await contentOf(root), before);
});

test('a merge that a killed process has made, of which an image is gone since, is taken back with its folder', async (t) => {
  const root = await dataFolder(t, animals);
  await createDataEditor(root).edit({ kind: 'merge', from: 'cat', to: 'hen' }, 'classes');
  const journal = join(root, journalFile);
  await writeFile(journal, (await readFile(journal, 'utf8')).replace(/.*\n$/u, ''));
  await unlink(join(root, 'hen/2.jpg'));
  assert.deepEqual(await createDataEditor(root).edits(), []);
  assert.deepEqual([...(await contentOf(root))].filter(([, content]) => content !== 'folder').map(([path]) => path), animals.filter((path) => path !== 'cat/2.jpg')); // prettier-ignore
});

test('edits that two editors of one folder make at once both count, and each sees the other’s', async (t) => {
  const root = await dataFolder(t, animals);
  const [one, other] = [createDataEditor(root), createDataEditor(root)];
  const images = ['cat/1.jpg', 'cat/2.jpg', 'dog/1.jpg', 'dog/3.jpg', 'hen/4.jpg'];
  await Promise.all(
    images.map((image, at) => (at % 2 === 0 ? one : other).edit({ kind: 'putAside', images: [image] }, 'classes')),
  );
  const listed = (await readFile(join(root, ignoreFile), 'utf8')).split('\n').slice(1, -1);
  assert.deepEqual(listed.toSorted(), images);
  const made = (await one.edits()).flatMap(({ edit }) => (edit.kind === 'putAside' ? edit.images : []));
  assert.deepEqual(made, listed);
  assert.deepEqual(await other.edits(), await one.edits());
  await other.edit({ kind: 'keep', images: ['hen/5.jpg'] }, 'classes');
  assert.deepEqual(await one.undo(), { kind: 'keep', images: ['hen/5.jpg'] });
  assert.equal((await other.edits()).at(-1)?.undone, true);
  await one.edit({ kind: 'keep', images: ['hen/5.jpg'] }, 'classes');
  assert.equal(await other.redo(), undefined, 'a new edit leaves nothing to be done again');
});

test('a line that was not written to its end counts as never begun', async (t) => {
  const root = await dataFolder(t, animals);
  const editor = createDataEditor(root);
  await editor.edit({ kind: 'keep', images: ['cat/2.jpg'] }, 'classes');
  await appendFile(join(root, journalFile), '{"event":"undo","id":');
  assert.equal((await editor.edits()).length, 1);
  await editor.edit({ kind: 'move', images: ['cat/1.jpg'], to: 'hen' }, 'classes');
  assert.deepEqual(
    (await createDataEditor(root).edits()).map(({ edit }) => edit.kind),
    ['keep', 'move'],
  );
});

test('a damaged journal is refused with its line', async (t) => {
  const root = await dataFolder(t, animals);
  const editor = createDataEditor(root);
  await editor.edit({ kind: 'keep', images: ['cat/1.jpg'] }, 'classes');
  await editor.edit({ kind: 'keep', images: ['cat/2.jpg'] }, 'classes');
  await editor.undo();
  const file = join(root, journalFile);
  const whole = await readFile(file, 'utf8');
  const lines = whole.split('\n').slice(0, -1);
  const begun = (id: number) => (lines[0] ?? '').replace('"id":1', `"id":${id}`);
  const wrong = [
    'nonsense',
    begun(4),
    begun(1),
    '{"event":"done","id":2}',
    '{"event":"failed","id":2,"reason":""}',
    '{"event":"undo","id":2,"time":""}',
    '{"event":"redo","id":1,"time":""}',
  ];
  for (const line of wrong) {
    await writeFile(file, `${whole}${line}\n`);
    await assert.rejects(
      createDataEditor(root).edits(),
      (error) => error instanceof UserError && error.message.includes('is damaged in line 7,'),
    );
  }
  for (const line of ['{"event":"done","id":1}', begun(4)]) {
    await writeFile(file, `${whole}${begun(3)}\n${line}\n`);
    await assert.rejects(createDataEditor(root).edits(), /is damaged in line 8,/u);
  }
  await writeFile(file, whole);
  assert.equal((await createDataEditor(root).edits()).length, 2);
});

test('a journal that is nearly as large as one may be takes the end of an edit, and no beginning', async (t) => {
  const root = await dataFolder(t, animals);
  const edit: DataEdit = { kind: 'keep', images: ['cat/1.jpg'] };
  const line = { event: 'edit' as const, version: 1 as const, id: 1, time: '', edit, steps: [] };
  const bytes = 512 * 1024 * 1024 - 1000;
  const full: Journal = { done: [], undone: [], pending: undefined, nextId: 1, bytes, isTorn: false };
  await assert.rejects(
    appendLine(root, full, line),
    (error) => error instanceof UserError && error.message.includes('is full: move it away'),
  );
  assert.equal((await readdir(root)).includes(journalFile), false);
  const begun: Journal = { ...full, pending: { direction: 'edit', entry: line }, nextId: 2 };
  assert.deepEqual((await appendLine(root, begun, { event: 'done', id: 1 })).done, [line]);
});
