import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createDataEditor } from '../../../src/ml/cleaning/dataEditor.ts';
import { type EditStep, journalFile } from '../../../src/protocol/dataEdits.ts';
import { UserError } from '../../../src/protocol/errors.ts';
import { ignoreFile } from '../../../src/protocol/ignoreList.ts';

/** A data folder with an image, a link to a folder outside, and a file there. */
async function dataFolder(t: TestContext): Promise<{ readonly root: string; readonly outside: string }> {
  const parent = await mkdtemp(join(tmpdir(), 'fivecrop-foreign-'));
  t.after(() => rm(parent, { recursive: true, force: true }));
  const [root, outside] = [join(parent, 'data'), join(parent, 'outside')];
  await mkdir(join(root, 'cat/deep'), { recursive: true });
  await mkdir(outside);
  await writeFile(join(root, 'cat/1.jpg'), 'an image');
  await writeFile(join(outside, 'secret.txt'), 'a secret');
  await symlink('../../../outside', join(root, 'cat/deep/linked'));
  await symlink('1.jpg', join(root, 'cat/2.jpg'));
  return { root, outside };
}

const lineOf = (steps: readonly EditStep[]) => {
  const edit = { kind: 'keep', images: ['cat/1.jpg'] };
  return `${JSON.stringify({ event: 'edit', version: 1, id: 1, time: '2026-01-01T00:00:00.000Z', edit, steps })}\n`;
};
const done = '{"event":"done","id":1}\n';
const undo = '{"event":"undo","id":1,"time":"2026-01-01T00:00:00.000Z"}\n';

async function listing(root: string): Promise<string[]> {
  return (await readdir(join(root, '..'), { recursive: true })).sort();
}

test('a journal that came with a data set changes nothing outside the folder, and what it has begun is not written on', async (t) => {
  const { root, outside } = await dataFolder(t);
  const harmless = { step: 'makeFolder', folder: 'new' } as const;
  const steps: [EditStep, RegExp][] = [
    [{ step: 'move', from: '../outside/secret.txt', to: 'cat/3.jpg' }, /names “\.\.\/outside\/secret\.txt”/u],
    [{ step: 'move', from: 'cat/1.jpg', to: '../../1.jpg' }, /names “\.\.\/\.\.\/1\.jpg”/u],
    [{ step: 'move', from: 'cat/1.jpg', to: join(outside, '1.jpg') }, /cannot be in the data folder/u],
    [{ step: 'move', from: 'cat/./1.jpg', to: 'cat/3.jpg' }, /cannot be in the data folder/u],
    [{ step: 'move', from: 'cat/1.jpg', to: 'cat/3.jpg\0' }, /cannot be in the data folder/u],
    [{ step: 'move', from: 'cat/deep/linked/secret.txt', to: 'cat/3.jpg' }, /linked is a link/u],
    [{ step: 'move', from: 'cat/2.jpg', to: 'cat/3.jpg' }, /2\.jpg is a link/u],
    [{ step: 'makeFolder', folder: 'cat/deep/linked/made' }, /linked is a link/u],
    [{ step: 'makeFolder', folder: '../made' }, /cannot be in the data folder/u],
  ];
  const refuses = (work: Promise<unknown>, sentence: RegExp) =>
    assert.rejects(work, (error) => error instanceof UserError && sentence.test(error.message));
  for (const [step, sentence] of steps) {
    const journals: [string, (editor: ReturnType<typeof createDataEditor>) => Promise<unknown>][] = [
      [lineOf([harmless, step]), (editor) => editor.edits()],
      [lineOf([harmless, step]) + done, (editor) => editor.undo()],
      [lineOf([harmless, step]) + done + undo + done, (editor) => editor.redo()],
    ];
    for (const [journal, work] of journals) {
      await writeFile(join(root, journalFile), journal);
      const before = await listing(root);
      await refuses(work(createDataEditor(root)), sentence);
      assert.deepEqual(await listing(root), before);
      assert.equal(await readFile(join(root, journalFile), 'utf8'), journal);
    }
  }
});

test('a step that would follow a link which a step before it has put there is not made, and that one is taken back', async (t) => {
  const { root } = await dataFolder(t);
  const before = await listing(root);
  const moved: EditStep[] = [
    { step: 'move', from: 'cat/deep', to: 'near' },
    { step: 'move', from: 'near/linked/secret.txt', to: 'cat/3.jpg' },
  ];
  await writeFile(join(root, journalFile), lineOf(moved));
  assert.deepEqual(await createDataEditor(root).edits(), []);
  assert.deepEqual((await listing(root)).filter((name) => !name.endsWith(journalFile)), before); // prettier-ignore
});

test('a journal, a lock or an ignore list that is a link or a folder is refused', async (t) => {
  const { root, outside } = await dataFolder(t);
  const secret = join(outside, 'secret.txt');
  for (const name of [journalFile, ignoreFile, '.fivecrop-edits.lock']) {
    const path = join(root, name);
    const kinds = [() => symlink(secret, path), () => symlink(join(outside, 'new.txt'), path), () => mkdir(path)];
    for (const make of kinds) {
      await make();
      await assert.rejects(
        createDataEditor(root).edit({ kind: 'putAside', images: ['cat/1.jpg'] }, 'classes'),
        (error) => error instanceof UserError && error.message.startsWith(`${path} is a link or not a file`),
      );
      await rm(path, { recursive: true });
      assert.deepEqual(await readdir(outside), ['secret.txt']);
      assert.equal(await readFile(secret, 'utf8'), 'a secret');
    }
  }
  await symlink(secret, join(root, journalFile));
  await assert.rejects(createDataEditor(root).edits(), /is a link or not a file/u);
});

test('recovery leaves temporary files of others in a data folder alone', async (t) => {
  const { root } = await dataFolder(t);
  const [mine, theirs] = [`${ignoreFile}.0.999999999-00000000-00000000.tmp`, 'notes.0.999999999-00000000-00000000.tmp'];
  for (const name of [mine, theirs]) {
    await writeFile(join(root, name), '');
    await utimes(join(root, name), 1, 1);
  }
  await writeFile(join(root, journalFile), lineOf([]));
  await createDataEditor(root).edits();
  assert.deepEqual((await readdir(root)).sort(), ['cat', journalFile, theirs].sort());
});
