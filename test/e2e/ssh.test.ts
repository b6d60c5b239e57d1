import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { after, test } from 'node:test';
import { drawSampleDataset } from '../../src/ml/data/drawSampleDataset.ts';
import type { TrainingConfigInput } from '../../src/protocol/trainingConfig.ts';
import { readRunRecord } from '../../src/runs/record.ts';
import { fivecrop } from '../integration/cli/runCommand.ts';
import { endLastFirst, type LoopbackHost, startLoopbackHost, whyNoServer } from '../integration/submit/loopbackSshd.ts';
import { stage } from './scenarios.ts';
import { until } from './until.ts';
import { chooseInContextMenu, openViewContainer, treeRow } from './workbench.ts';

const config: TrainingConfigInput = {
  ...{ data: 'flowers', network: { kind: 'architecture', name: 'ConvNet1' }, method: 'scratch', hidden: [] },
  ...{ batchSize: 16, imageSize: 64, resize: 72, validateEvery: 5, engine: 'onnx', device: 'cpu' },
  // More than is ever seen: such a run is stopped.
  epochs: 4000,
};

const missing = await whyNoServer();
if (missing === undefined) playOverSsh();
else test('runs on another machine', { skip: missing });

function playOverSsh(): void {
  const place = mkdtempSync(join(tmpdir(), 'fivecrop-e2e-ssh-'));
  const path = [join(place, 'bin'), process.env['PATH'] ?? ''].join(delimiter);
  const env = { PATH: path, FIVECROP_LOOK_INTERVAL: '200' };
  // At the end of the file: what is prepared belongs to the first scenario, which ends before.
  const atEnd = endLastFirst({ after });
  atEnd.after(() => rm(place, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 }));
  let far: LoopbackHost | undefined;
  const scenario = stage({
    env,
    prepare: async (folder) => {
      far = await startLoopbackHost(atEnd, place, { hasNode: true });
      await drawSampleDataset(join(folder, 'flowers'), 0);
      const names = ['first', 'second'].map((name) => `${name}.fivecrop.json`);
      for (const name of names) await writeFile(join(folder, name), JSON.stringify(config));
      const { code, stderr } = await fivecrop(['submit', ...names, '--to', 'ssh:far', '--parallel', '2'], {
        cwd: folder,
        env,
      });
      assert.equal(code, 0, stderr);
    },
  });

  scenario('a run that nobody follows on its machine says so, stops there, or is followed', async ({ workbench }) => {
    await openViewContainer(workbench, 'Fivecrop');
    const [first, second] = ['first', 'second'].map((name) => treeRow(workbench, 'Checkpoints', name));
    assert.ok(first && second);
    await first.filter({ hasText: /not followed · last heard of \d/ }).waitFor();
    await chooseInContextMenu(workbench, first, 'Follow');
    await first.filter({ hasText: 'running on far' }).waitFor();
    await second.filter({ hasText: 'not followed' }).waitFor();
    await chooseInContextMenu(workbench, second, 'Stop');
    await second.filter({ hasText: 'stopped' }).waitFor();
    await chooseInContextMenu(workbench, first, 'Stop');
    await first.filter({ hasText: 'stopped' }).waitFor();
    await until('both have stopped there', async () => (await statesThere(far)).every((state) => state === 'stopped'));
  });
}

async function statesThere(far: LoopbackHost | undefined): Promise<readonly string[]> {
  const jobs = join(far?.home ?? '', '.cache/fivecrop/remote/jobs');
  const [job = ''] = await readdir(jobs);
  const runs = await readdir(join(jobs, job, 'runs'));
  return Promise.all(runs.map(async (run) => (await readRunRecord(join(jobs, job, 'runs', run))).state));
}
