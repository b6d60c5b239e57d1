import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { openJobTrainer } from '../../../src/ml/submit/jobTrainer.ts';
import type { AwaitedRun, Explanation, Submission, SubmitTarget } from '../../../src/ml/submit/target.ts';
import { CancelledError, usageError, userError } from '../../../src/protocol/errors.ts';
import type { RunRecord } from '../../../src/protocol/runRecord.ts';
import { givenConfigSchema, trainingConfigSchema } from '../../../src/protocol/trainingConfig.ts';
import { writeJobRecord } from '../../../src/runs/job.ts';
import { readStoredRun } from '../../../src/runs/list.ts';
import { requestStop } from '../../../src/runs/sweep.ts';
import { createRunFolder, reopenRunFolder } from '../../../src/runs/runFolder.ts';

const settings = { data: '/d', network: { kind: 'architecture', name: 'ConvNet1' }, epochs: 9 };
const record = {
  ...{ created: '2026-01-01', state: 'preparing' as const, config: trainingConfigSchema.parse(settings) },
  environment: { fivecrop: '1', node: '1', platform: 'x', fallbacks: [] },
};

const { signal } = new AbortController();

/** A target that makes the folders of runs, whose jobs it says are `there`; `submitted` then has a run end. */
async function targetOf(
  t: TestContext,
  {
    isThere = true,
    refuses,
    submitted,
  }: { isThere?: boolean; refuses?: Error; submitted?: (folder: string) => Promise<void> },
) {
  const out = await mkdtemp(join(tmpdir(), 'fivecrop-jobs-'));
  t.after(() => rm(out, { recursive: true, force: true }));
  const sweep = join(out, 'heads');
  await mkdir(sweep);
  const submissions: Submission[] = [];
  const target: SubmitTarget = {
    ...{
      ownOptions: [],
      takesSweeps: true,
      hasEnvironment: false,
      check: () => undefined,
      cancel: () => Promise.resolve(),
    },
    submit: async (submission) => {
      submissions.push(submission);
      if (refuses) throw refuses;
      const [{ resume } = { resume: undefined }] = submission.runs;
      const folder = resume ?? (await makeRun(out));
      await submitted?.(folder);
      return [folder];
    },
    explain: (runs) => {
      const explanation: Explanation = { isThere, sentence: 'job 7 is NODE_FAIL' };
      return Promise.resolve(new Map(runs.map(({ folder }) => [folder, explanation])));
    },
  };
  const how = { say: () => undefined, signal, shared: sweep, options: { parallel: 3 }, command: ['fivecrop'] };
  const { train } = openJobTrainer(target, undefined, how, { look: 2, ask: 5 });
  const training: AwaitedRun = {
    ...{ config: givenConfigSchema.parse(settings), folder: join(out, 'heads-1') },
    ...{ resumes: false, untilEpoch: 3 },
  };
  return { train, training, submissions, out, sweep };
}

/** The folder of a run that waits for its job. */
async function makeRun(out: string): Promise<string> {
  const folder = await createRunFolder(out, 'heads-1', record);
  await folder.close();
  await writeJobRecord(folder.path, { version: 1, scheduler: 'slurm', job: '7', submitted: '2026-01-01' });
  return folder.path;
}

async function end(folder: string, changes: Partial<RunRecord>): Promise<void> {
  const run = await reopenRunFolder(folder);
  await run.update(changes).finally(run.close);
}

test('a training is a job of its own, which stops after its epochs, and ends when the folder of the run says so', async (t) => {
  const ends = (folder: string) => end(folder, { state: 'stopped' });
  const { train, training, submissions, sweep } = await targetOf(t, { submitted: ends });
  assert.equal(await train(training, signal), undefined);
  assert.equal(submissions.length, 1);
  const [{ trial, runs, options } = { trial: undefined, runs: [], options: {} }] = submissions;
  assert.deepEqual(trial, { sweep, untilEpoch: 3 });
  assert.equal(runs[0]?.name, 'heads-1');
  assert.equal(options['parallel'], undefined, 'one run is no array');
});

test('a job that is there from before is waited for, and one that is gone is handed over again', async (t) => {
  const there = await targetOf(t, {});
  await makeRun(there.out);
  const trained = there.train({ ...there.training, resumes: true }, signal);
  setTimeout(() => void end(there.training.folder, { state: 'finished' }), 20);
  assert.equal(await trained, undefined);
  assert.equal(there.submissions.length, 0);

  const gone = await targetOf(t, { isThere: false, submitted: (folder) => end(folder, { state: 'finished' }) });
  await makeRun(gone.out);
  assert.equal(await gone.train({ ...gone.training, resumes: true }, signal), undefined);
  assert.equal(gone.submissions[0]?.runs[0]?.resume, gone.training.folder);
});

test('a run whose job is lost has failed in passing, and one that its record calls failed for the reason there', async (t) => {
  const lost = await targetOf(t, { isThere: false });
  assert.deepEqual(await lost.train(lost.training, signal), {
    reason: 'its run heads-1 was lost: job 7 is NODE_FAIL.',
    cause: 'passing',
  });
  const failed = await targetOf(t, { submitted: (folder) => end(folder, { state: 'failed', reason: 'Too dark.' }) });
  assert.deepEqual(await failed.train(failed.training, signal), { reason: 'Too dark.' });
});

test('a wrong setting is the failure of its trial, and what the scheduler refuses ends the sweep', async (t) => {
  const wrong = await targetOf(t, { refuses: usageError('momentum is of SGD.') });
  assert.deepEqual(await wrong.train(wrong.training, signal), { reason: 'momentum is of SGD.', cause: 'settings' });
  const refused = await targetOf(t, { refuses: userError('sbatch failed: no partition.') });
  await assert.rejects(refused.train(refused.training, signal), /no partition/u);
});

test('where the process of the sweep is to end alone, its jobs are left, and where the sweep is to stop, they leave the queue', async (t) => {
  for (const state of ['queued', 'stopped']) {
    const { train, training, sweep } = await targetOf(t, {});
    if (state === 'stopped') await requestStop(sweep);
    const controller = new AbortController();
    const trained = train(training, controller.signal);
    setTimeout(() => controller.abort(), 20);
    await assert.rejects(trained, CancelledError);
    assert.equal((await readStoredRun(training.folder)).state, state);
  }
});

test('a training has ended once its job has let go of the folder, in which the next one is handed over', async (t) => {
  let hasLetGo = false;
  const { train, training } = await targetOf(t, {
    submitted: async (folder) => {
      const run = await reopenRunFolder(folder);
      await run.update({ state: 'stopped' });
      setTimeout(() => {
        hasLetGo = true;
        void run.close();
      }, 50);
    },
  });
  assert.equal(await train(training, signal), undefined);
  assert.ok(hasLetGo);
});
