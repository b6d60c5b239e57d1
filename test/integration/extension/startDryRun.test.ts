import assert from 'node:assert/strict';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { startDryRun, type DryRunCall } from '../../../src/extension/trainer/startDryRun.ts';
import { CancelledError, UserError } from '../../../src/protocol/errors.ts';
import type { DryRunRequest } from '../../../src/protocol/dryRun.ts';
import { drawTinyDataset, temporaryFolder, tinyConfig } from '../../unit/training/tinyDataset.ts';

const script = join(import.meta.dirname, '..', '..', '..', 'dist', 'ml', 'dryRun.mjs');
const lines: string[] = [];
const program = {
  script,
  environment: { ...process.env, NODE_OPTIONS: '' },
  onErrorLine: (line: string) => void lines.push(line),
};
type Answers = Parameters<DryRunCall['onAnswer']>[0][];

async function answersTo(request: DryRunRequest, signal = new AbortController().signal): Promise<Answers> {
  const answers: Answers = [];
  await startDryRun(request, program, { signal, onAnswer: (answer) => answers.push(answer) });
  return answers;
}

test('a process of its own tries learning rates, tells each point and then what they suggest', async (t) => {
  const config = tinyConfig(await drawTinyDataset(await temporaryFolder(t)));
  const answers = await answersTo({ what: 'rate', config, range: { from: 1e-5, to: 0.1, steps: 12 } });
  const points = answers.flatMap((answer) => (answer.type === 'point' ? [answer.point] : []));
  const last = answers.at(-1);
  assert.deepEqual(last?.type === 'rate' ? last.rate.points : undefined, points, lines.join('\n'));
});

test('what cannot be trained is refused in its own words, and a cancelled dry run is no failure', async (t) => {
  const config = tinyConfig(await drawTinyDataset(await temporaryFolder(t)));
  await assert.rejects(
    answersTo({ what: 'estimate', config: { ...config, data: '/there/is/none' } }),
    (error) => error instanceof UserError && error.message.includes('/there/is/none'),
  );
  const stopping = new AbortController();
  const cancelled = answersTo({ what: 'estimate', config }, stopping.signal);
  stopping.abort();
  await assert.rejects(cancelled, CancelledError);
});
