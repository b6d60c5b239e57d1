import assert from 'node:assert/strict';
import { appendFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { watchRuns } from '../../../src/runs/watch.ts';
import { temporaryFolder, writeRun } from '../extension/storedRun.ts';

test('whatever happens in a run is heard of, also where its folders were made at once', async (context) => {
  const parent = await temporaryFolder(context);
  await writeRun(parent, 'old');
  const heard = new Set<string>();
  const errors: Error[] = [];
  const end = watchRuns(parent, {
    onPath: (path) => heard.add(relative(parent, path)),
    onError: (error) => errors.push(error),
  });
  context.after(end);
  const hears = async (paths: readonly string[], what: () => Promise<unknown>) => {
    // Systems that watch a whole tree may tell of a moment ago.
    await delay(50);
    heard.clear();
    await what();
    for (let waited = 0; !paths.every((path) => heard.has(path)); waited += 10) {
      assert.ok(waited < 60_000, `of ${paths.join(', ')} only ${[...heard].join(', ') || 'nothing'} was heard`);
      await delay(10);
    }
  };
  const inRun = (run: string, ...names: string[]) => join(parent, run, ...names);
  await hears(['new'], () => mkdir(inRun('new', 'checkpoints'), { recursive: true }));
  await hears([join('new', 'metrics.jsonl')], () => writeFile(inRun('new', 'metrics.jsonl'), 'a\n'));
  await hears([join('new', 'metrics.jsonl')], () => appendFile(inRun('new', 'metrics.jsonl'), 'b\n'));
  const best = ['checkpoints', 'best.safetensors'] as const;
  await hears([join('new', ...best)], () => writeFile(inRun('new', ...best), 'weights'));
  await hears([join('new', 'run.json')], async () => {
    await writeFile(inRun('new', 'run.json.new'), '{}');
    await rename(inRun('new', 'run.json.new'), inRun('new', 'run.json'));
  });
  await hears([join('old', ...best)], () => writeFile(inRun('old', ...best), 'weights'));
  await hears([join('old', ...best)], () => rm(inRun('old', ...best)));
  await hears(['old', 'renamed'], () => rename(inRun('old'), inRun('renamed')));
  await hears([join('renamed', ...best)], () => writeFile(inRun('renamed', ...best), 'weights'));
  await hears(['new'], () => rm(inRun('new'), { recursive: true }));
  assert.deepEqual(errors, []);
});
