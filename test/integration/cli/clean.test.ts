import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fivecrop } from './runCommand.ts';

test('clean moves, puts aside, lists and takes back', async (t) => {
  const data = await mkdtemp(join(tmpdir(), 'fivecrop-clean-'));
  t.after(() => rm(data, { recursive: true }));
  for (const name of ['cat', 'dog']) {
    await mkdir(join(data, name));
    for (const file of ['1.jpg', '2.jpg']) await writeFile(join(data, name, file), name);
  }
  const moved = await fivecrop(['clean', data, '--move', join(data, 'cat/1.jpg'), '--to', 'dog']);
  assert.deepEqual([moved.code, moved.stdout], [0, 'Done: move cat/1.jpg to dog.\n']);
  assert.deepEqual((await readdir(join(data, 'dog'))).sort(), ['1 (2).jpg', '1.jpg', '2.jpg']);
  assert.equal((await fivecrop(['clean', data, '--put-aside', join(data, 'dog/2.jpg')])).code, 0);
  const listed = await fivecrop(['clean', data, '--list', '--json']);
  const edits = listed.stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as { edit: unknown; undone: boolean }); // prettier-ignore
  assert.deepEqual(
    edits.map(({ edit, undone }) => [edit, undone]),
    [
      [{ kind: 'move', images: ['cat/1.jpg'], to: 'dog' }, false],
      [{ kind: 'putAside', images: ['dog/2.jpg'] }, false],
    ],
  );
  const reverted = await fivecrop(['clean', data, '--revert', 'all']);
  assert.deepEqual([reverted.code, reverted.stderr], [0, '2 edits undone.\n']);
  assert.deepEqual((await readdir(data)).sort(), ['cat', 'dog', 'fivecrop-edits.jsonl']);
  assert.deepEqual((await readdir(join(data, 'dog'))).sort(), ['1.jpg', '2.jpg']);
  const wrong = await fivecrop(['clean', data, '--rename', 'cat']);
  assert.deepEqual([wrong.code, wrong.stderr], [2, 'fivecrop: --rename needs the other class: --to CLASS.\n']);
});

test('label copies images to their classes by lines of image,class, and clean takes that back', async (t) => {
  const parent = await mkdtemp(join(tmpdir(), 'fivecrop-label-'));
  t.after(() => rm(parent, { recursive: true }));
  const [data, unlabelled] = [join(parent, 'data'), join(parent, 'new')];
  for (const folder of [data, unlabelled]) await mkdir(folder);
  for (const name of ['1', '2', '3']) await writeFile(join(unlabelled, `${name}.jpg`), name);
  await writeFile(
    join(parent, 'labels.csv'),
    `image,class\r\n1.jpg,cat\r\n${join(unlabelled, '2.jpg')},"a, b"\r\n3.jpg,\r\n`,
  );
  const labelled = await fivecrop(['label', data, unlabelled, '--labels', join(parent, 'labels.csv'), '--json']);
  assert.deepEqual([labelled.code, labelled.stderr], [0, '2 images labeled.\n']);
  const edits = labelled.stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as unknown); // prettier-ignore
  assert.deepEqual(edits.at(-1), { edit: { kind: 'skip', images: [join(unlabelled, '3.jpg')] }, undone: false });
  assert.deepEqual((await readdir(data, { recursive: true })).sort(), ['a, b', 'a, b/2.jpg', 'cat', 'cat/1.jpg', 'fivecrop-edits.jsonl']); // prettier-ignore
  await writeFile(join(parent, 'again.csv'), '1.jpg,dog\n');
  const again = await fivecrop(['label', data, unlabelled, '--labels', join(parent, 'again.csv')]);
  assert.match(again.stderr, /1\.jpg is in the data already, as .*cat.1\.jpg/u);
  assert.equal((await fivecrop(['clean', data, '--revert', 'all'])).code, 0);
  assert.deepEqual(await readdir(data), ['fivecrop-edits.jsonl']);
  const none = await fivecrop(['label', data, unlabelled]);
  assert.deepEqual([none.code, none.stderr.split(':')[1]], [2, ' Name one network']);
});
