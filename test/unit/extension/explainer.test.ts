import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createExplainer, type ExplanationRequest } from '../../../src/extension/panels/explainer.ts';
import { cancelled } from '../../../src/protocol/errors.ts';
import type { PredictionPanelToPage } from '../../../src/protocol/predictionPanel.ts';

const wish = {
  image: '/a.jpg',
  index: 2,
  source: { kind: 'checkpoint', path: '/best' },
  crops: 5,
  precision: 'int8',
} as const;
const explanation = { image: '/a.jpg', index: 2, name: 'rose', method: 'occlusion', crops: [] } as const;

/** An explainer whose requests wait until they are answered, fail, or are cancelled. */
function waiting() {
  const asked: (ExplanationRequest & { end: () => void; fail: (error: Error) => void })[] = [];
  const posted: PredictionPanelToPage[] = [];
  const explainer = createExplainer(
    (request) =>
      new Promise<void>((resolve, reject) => {
        asked.push({ ...request, end: resolve, fail: reject });
        request.signal.addEventListener('abort', () => reject(cancelled()));
      }),
    (message) => posted.push(message),
  );
  return { explainer, asked, posted };
}

test('a page hears how far an explanation is, and what was found', async () => {
  const { explainer, asked, posted } = waiting();
  const ended = explainer.explain(wish);
  asked[0]?.onAnswer({ type: 'progress', what: 'Looking', done: 1, total: 5 });
  asked[0]?.onAnswer({ type: 'explanation', explanation: { ...explanation, crops: [] } });
  asked[0]?.end();
  await ended;
  assert.deepEqual(posted, [
    { type: 'explaining', image: '/a.jpg', index: 2, what: 'Looking', done: 1, total: 5 },
    { type: 'explanation', explanation, precision: 'int8' },
  ]);
});

test('of two wishes the first is cancelled, and what it still answers or fails with is not told', async () => {
  const { explainer, asked, posted } = waiting();
  const first = explainer.explain(wish);
  const second = explainer.explain({ ...wish, index: 3 });
  await first;
  assert.equal(asked[0]?.signal.aborted, true);
  asked[0].onAnswer({ type: 'explanation', explanation: { ...explanation, crops: [] } });
  asked[1]?.fail(new Error('broken'));
  await second;
  assert.deepEqual(posted, [{ type: 'unexplained', image: '/a.jpg', index: 3, reason: 'broken' }]);
});

test('a cancelled explanation is not a failure', async () => {
  const { explainer, posted } = waiting();
  const ended = explainer.explain(wish);
  explainer.cancel();
  await ended;
  assert.deepEqual(posted, []);
});
