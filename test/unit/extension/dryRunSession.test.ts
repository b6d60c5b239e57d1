import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDryRunSession } from '../../../src/extension/panels/dryRunSession.ts';
import type { DryRunCall } from '../../../src/extension/trainer/startDryRun.ts';
import { usualRateRange } from '../../../src/protocol/dryRun.ts';
import type { DryRunPanelToPage } from '../../../src/protocol/dryRunPanel.ts';
import { cancelled, userError } from '../../../src/protocol/errors.ts';
import type { Samples } from '../../../src/protocol/samples.ts';
import { givenConfigSchema } from '../../../src/protocol/trainingConfig.ts';

const config = givenConfigSchema.parse({ data: '/flowers', network: { kind: 'architecture', name: 'ConvNet1' } });
const request = { what: 'rate', config, range: usualRateRange } as const;
const [low, high] = [
  { learningRate: 0.001, loss: 2 },
  { learningRate: 0.01, loss: 1 },
];
const rate = { points: [low, high], smoothed: [2, 1], steepest: 0.01, least: 0.01 };
const counts = { seed: 0, epoch: 0, batch: 0, batches: 1, epochs: 1, size: 32, imageCount: 0 };
const samples: Samples = { ...counts, images: [], notes: [] };

/** A session whose dry runs wait until they are answered, fail, or are cancelled. */
function waiting() {
  const asked: (DryRunCall & { end: () => void; fail: (error: Error) => void })[] = [];
  const posted: DryRunPanelToPage[] = [];
  const dryRun = (_: unknown, call: DryRunCall) =>
    new Promise<void>((resolve, reject) => {
      asked.push({ ...call, end: resolve, fail: reject });
      call.signal.addEventListener('abort', () => reject(cancelled()));
    });
  const session = createDryRunSession({ dryRun, samples: () => Promise.resolve(samples) }, (message) =>
    posted.push(message),
  );
  const told = () => posted.splice(0).filter(({ type }) => type !== 'progress');
  return { session, asked, told };
}

test('a page hears each learning rate as it is tried, and hears all again when it begins anew', async () => {
  const { session, asked, told } = waiting();
  const ended = session.rate(request);
  asked[0]?.onAnswer({ type: 'point', point: low });
  asked[0]?.onAnswer({ type: 'point', point: high });
  asked[0]?.onAnswer({ type: 'rate', rate });
  asked[0]?.end();
  await ended;
  const points = (...list: (typeof low)[]) => ({ type: 'points', points: list });
  assert.deepEqual(told(), [points(), points(low), points(low, high), { type: 'rate', rate }]);
  await session.samples({ epoch: 0, batch: 0 });
  assert.deepEqual(told(), [{ type: 'samples', samples }]);
  session.replay();
  assert.deepEqual(told(), [points(low, high), { type: 'rate', rate }, { type: 'samples', samples }]);
});

test('what begins cancels what ran before, whose answers and end are not told', async () => {
  const { session, asked, told } = waiting();
  const first = session.rate(request);
  const second = session.samples({ epoch: 0, batch: 0 });
  await Promise.all([first, second]);
  assert.equal(asked[0]?.signal.aborted, true);
  asked[0].onAnswer({ type: 'rate', rate });
  assert.deepEqual(told(), [
    { type: 'points', points: [] },
    { type: 'samples', samples },
  ]);
});

test('a page hears why a dry run failed, and nothing of one that the user cancelled', async () => {
  const { session, asked, told } = waiting();
  const failing = session.rate(request);
  asked[0]?.fail(userError('The disk is full.'));
  await failing;
  const cancelledOne = session.rate(request);
  session.cancel();
  await cancelledOne;
  assert.deepEqual(told(), [
    { type: 'points', points: [] },
    { type: 'error', message: 'The disk is full.' },
    { type: 'points', points: [] },
  ]);
});
