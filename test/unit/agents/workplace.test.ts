import assert from 'node:assert/strict';
import { mkdir, realpath, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import {
  checkpointInside,
  dataFolder,
  imagesAt,
  openWorkplace,
  pathInside,
  pathShown,
  presentPath,
  runFolder,
} from '../../../src/agents/workplace.ts';
import { temporaryFolder, writeFiles } from '../data/temporaryImages.ts';

const { signal } = new AbortController();

/** A workspace `work` with a link out of it, beside a folder that is none of its business. */
async function place(t: TestContext) {
  const outer = await realpath(await temporaryFolder(t));
  const root = join(outer, 'work');
  await writeFiles(root, ['data/a/1.jpg', 'data/b/2.jpg', 'data/b/notes.txt', 'runs/first/run.json'], '{}');
  await writeFiles(root, ['runs/first/checkpoints/best.safetensors'], 'x');
  await writeFiles(outer, ['secret/1.jpg', 'workshop/1.jpg', 'chosen/second/run.json'], '{}');
  await symlink(join(outer, 'secret'), join(root, 'out'));
  return { outer, root, workplace: await openWorkplace([root], [join(root, 'runs')]) };
}

const isOutside = { name: 'UserError', message: /lies outside the workspace: name a path in / };

suite('paths of agents', () => {
  test('are relative to the workspace, may be absolute in it, and come back as they can be given again', async (t) => {
    const { root, workplace } = await place(t);
    for (const given of ['data', './data/', 'data/../data', join(root, 'data')]) {
      const path = await presentPath(workplace, given);
      assert.equal(path, join(root, 'data'));
      assert.equal(pathShown(workplace, path), 'data');
    }
    assert.equal(pathShown(workplace, root), '.');
    assert.equal(await pathInside(workplace, 'new/model.onnx'), join(root, 'new/model.onnx'));
  });

  test('are refused outside of it, by whatever way, and whether or not anything is there', async (t) => {
    const { outer, workplace } = await place(t);
    const hostile = [
      '..',
      '../secret',
      'data/../../secret',
      '../workshop',
      '../nothing',
      'out',
      'out/1.jpg',
      'out/new.onnx',
    ];
    for (const given of [...hostile, '/', '/etc/passwd', join(outer, 'secret'), 'data\0']) {
      await assert.rejects(pathInside(workplace, given), isOutside, given);
    }
  });

  test('may not lead over a link to nothing, which may lead anywhere by the time that it is written to', async (t) => {
    const { outer, root, workplace } = await place(t);
    await symlink(join(outer, 'later'), join(root, 'model.onnx'));
    await assert.rejects(pathInside(workplace, 'model.onnx'), { name: 'UserError' });
  });

  test('of data may hold links that stay inside, and none that leads out', async (t) => {
    const { root, outer, workplace } = await place(t);
    await symlink(join(root, 'data/a'), join(root, 'data/c'));
    assert.equal(await dataFolder(workplace, 'data', signal), join(root, 'data'));
    assert.deepEqual(await imagesAt(workplace, 'data', signal), [
      join(root, 'data/a/1.jpg'),
      join(root, 'data/b/2.jpg'),
    ]);
    await symlink(join(outer, 'secret/1.jpg'), join(root, 'data/a/3.jpg'));
    await assert.rejects(dataFolder(workplace, 'data', signal), isOutside);
    await assert.rejects(imagesAt(workplace, 'data', signal), isOutside);
  });

  test('of data may not have their names of classes from a link out', async (t) => {
    const { root, outer, workplace } = await place(t);
    await symlink(join(outer, 'secret/1.jpg'), join(root, 'cat_to_name.json'));
    await assert.rejects(dataFolder(workplace, 'data', signal), isOutside);
  });

  test('of runs may be names, and a checkpoint that is a link out is refused', async (t) => {
    const { root, outer, workplace } = await place(t);
    const best = join(root, 'runs/first/checkpoints/best.safetensors');
    assert.equal(await runFolder(workplace, 'first'), join(root, 'runs/first'));
    assert.equal(await checkpointInside(workplace, 'runs/first'), best);
    assert.equal(await checkpointInside(workplace, 'runs/first/checkpoints/best.safetensors'), best);
    await assert.rejects(runFolder(workplace, 'second'), /There is no run second: list_runs lists/);
    await assert.rejects(runFolder(workplace, '..'), isOutside);
    await writeFiles(root, ['runs/linked/run.json'], '{}');
    await mkdir(join(root, 'runs/linked/checkpoints'));
    await symlink(join(outer, 'secret/1.jpg'), join(root, 'runs/linked/checkpoints/best.safetensors'));
    await assert.rejects(checkpointInside(workplace, 'linked'), isOutside);
  });

  test('of a run lead to nothing of it that a link out stands for: its record, curves or tests', async (t) => {
    const { root, outer, workplace } = await place(t);
    for (const name of ['run.json', 'metrics.jsonl', 'checkpoints/best.test-1.evaluation.json', 'control.json']) {
      const run = join(root, 'runs', name.replaceAll('/', '-'));
      await writeFiles(run, ['checkpoints/best.safetensors', ...(name === 'run.json' ? [] : ['run.json'])], '{}');
      await symlink(join(outer, 'chosen/second/run.json'), join(run, name));
      await assert.rejects(runFolder(workplace, basename(run)), isOutside, name);
      await assert.rejects(checkpointInside(workplace, join(run, 'checkpoints/best.safetensors')), isOutside, name);
    }
  });

  test('of runs may lie where the user has chosen, but not where a link in the workspace leads', async (t) => {
    const { root, outer } = await place(t);
    const chosen = await openWorkplace([root], [join(outer, 'chosen')]);
    assert.equal(await runFolder(chosen, 'second'), join(outer, 'chosen/second'));
    await assert.rejects(pathInside(chosen, '../secret'), isOutside);
    await assert.rejects(openWorkplace([root], [join(root, 'out')]), isOutside);
    await assert.rejects(openWorkplace([join(root, 'none')], []), /cannot be opened/);
  });
});
