import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command } from 'commander';
import { batchScript, outputPattern, secondsOfLimit } from '../../../src/ml/submit/batchScript.ts';
import { isSlurmJob, jobHere } from '../../../src/ml/submit/slurm.ts';
import { explanationOf, slurmTarget } from '../../../src/ml/submit/slurmTarget.ts';
import { addTargetOptions } from '../../../src/ml/cli/submitTargets.ts';

test('each task of an array has its run in the batch script, and no name is read by the shell', () => {
  const script = batchScript(['/opt/node', '/x/fivecrop.mjs'], ["/r/it's", '/r/$(rm -rf ~) "b"'], ['submit', 'work']);
  const lines = script.split('\n');
  assert.equal(lines[0], '#!/bin/bash');
  assert.deepEqual(lines.slice(3, 5), [String.raw`  '/r/it'\''s'`, `  '/r/$(rm -rf ~) "b"'`]);
  assert.ok(
    lines.includes(`'/opt/node' '/x/fivecrop.mjs' 'submit' 'work' "\${runs[\${SLURM_ARRAY_TASK_ID:-1} - 1]}" &`),
  );
});

test('time limits are read as sbatch reads them', () => {
  const limits = {
    30: 1800,
    '30:15': 1815,
    '4:00:00': 14_400,
    '1-12': 129_600,
    '1-12:30': 131_400,
    '2-0:0:5': 172_805,
  };
  for (const [limit, seconds] of Object.entries(limits)) assert.equal(secondsOfLimit(limit), seconds, limit);
  for (const none of ['', 'UNLIMITED', '4h', '1:2:3:4', '-5']) assert.equal(secondsOfLimit(none), undefined, none);
});

test('a time limit leaves time for a first step before the signal, which Slurm may send a minute early', () => {
  const check = (options: object) => slurmTarget.check({ place: undefined, options: { ...options } }, 1);
  const elsewhere = [{ sbatchOption: ['--time=3'] }, { time: '4', sbatchOption: ['--time=9', '-t3'] }];
  for (const options of [{ time: '3' }, { time: '3:59' }, { time: '6', signal: 300 }, ...elsewhere])
    assert.throws(
      () => check(options),
      /^UserError: --time \S+ may end before the first step/u,
      JSON.stringify(options),
    );
  for (const options of [
    { time: '4' },
    { time: '0' },
    { time: 'UNLIMITED' },
    { time: '3', signal: 60 },
    { sbatchOption: ['--time-min=1'] },
    {},
  ])
    assert.doesNotThrow(() => check(options), JSON.stringify(options));
});

test('nothing in the path of a log is a pattern of sbatch', () => {
  assert.equal(outputPattern('/r/100%j'), '/r/100%%j');
  assert.throws(() => outputPattern('/r/a\\b'), /backslash/);
});

test('a process knows its job by the number of its task, and how often the job began anew', () => {
  assert.deepEqual(jobHere({ SLURM_JOB_ID: '7' }), { job: '7', restarts: 0 });
  const task = { SLURM_JOB_ID: '9', SLURM_ARRAY_JOB_ID: '7', SLURM_ARRAY_TASK_ID: '2', SLURM_RESTART_COUNT: '3' };
  assert.deepEqual(jobHere(task), { job: '7_2', restarts: 3 });
  assert.equal(jobHere({}), undefined);
});

test('only what is the number of a job is handed to commands of Slurm', () => {
  assert.ok(['1', '12_3'].every(isSlurmJob));
  for (const name of ['', '-a', '--user=root', '1 2', '1_', '1_[1-3]', '1;2', '1\n2'])
    assert.ok(!isSlurmJob(name), name);
});

test('a job that is put back into the queue is there while it completes, and that of a run that has ended is not', () => {
  const job = { version: 1, scheduler: 'slurm', job: '12_3', submitted: '2026-01-02T03:04:05.000Z' } as const;
  const completes = { state: 'COMPLETING', reason: 'None', nodes: 'n1' };
  const sentence = 'job 12_3 is COMPLETING on n1';
  for (const state of ['queued', 'broken off'] as const)
    assert.deepEqual(explanationOf({ state, job }, completes), { isThere: true, sentence });
  for (const state of ['stopped', 'failed'] as const)
    assert.deepEqual(explanationOf({ state, job }, completes), { isThere: false, sentence });
  assert.ok(!explanationOf({ state: 'queued', job }, { ...completes, state: 'CANCELLED' }).isThere);
  assert.ok(!explanationOf({ state: 'broken off', job }, undefined).isThere);
});

test('options of sbatch that fivecrop sets itself are refused, however they are written, and others are taken', () => {
  const command = new Command().exitOverride();
  addTargetOptions(command);
  const parse = (option: string) => command.parse(['--sbatch-option', option], { from: 'user' });
  for (const option of ['-a1-3', '-a', '-o/dev/null', '--array=1-3', '--output=x', '--wrap=ls', 'script.sh', '--'])
    assert.throws(() => parse(option), /name an option of sbatch/u, option);
  for (const option of ['--account=vision', '-Avision', '--hold', '--oversubscribe']) parse(option);
});
