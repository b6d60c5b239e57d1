import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFeatureMapSession } from '../../../src/extension/panels/featureMapSession.ts';
import { cancelled, userError } from '../../../src/protocol/errors.ts';
import type { FeatureMap } from '../../../src/protocol/featureMap.ts';
import type { FeatureMapPanelToPage } from '../../../src/protocol/featureMapPanel.ts';
import { sampleFeatureMap } from '../../pages/samples.ts';

/** A session whose maps wait until they are drawn, fail, or are cancelled. */
function waiting() {
  const asked: { draw: (map: FeatureMap) => void; fail: (error: Error) => void; signal: AbortSignal }[] = [];
  const posted: FeatureMapPanelToPage[] = [];
  const tests = [{ title: 'test', images: [] }];
  const session = createFeatureMapSession(
    {
      map: ({ signal }) =>
        new Promise<FeatureMap>((resolve, reject) => {
          asked.push({ draw: resolve, fail: reject, signal });
          signal.addEventListener('abort', () => reject(cancelled()));
        }),
      tests: () => Promise.resolve(tests),
    },
    (message) => posted.push(message),
  );
  const told = () => posted.splice(0).filter(({ type }) => type !== 'progress');
  return { session, asked, told, tests };
}

test('a page hears of the map and of its tests, and hears both again when it begins anew', async () => {
  const { session, asked, told, tests } = waiting();
  const map = sampleFeatureMap(10);
  const looked = session.look();
  asked[0]?.draw(map);
  await looked;
  const both = [{ type: 'map', map }, { type: 'tests', tests }]; // prettier-ignore
  assert.deepEqual(told(), both);
  session.replay();
  assert.deepEqual(told(), both);
});

test('of maps that are asked for one after the other only the last is told', async () => {
  const { session, asked, told, tests } = waiting();
  const first = session.look();
  const second = session.look();
  assert.equal(asked[0]?.signal.aborted, true);
  const map = sampleFeatureMap(12);
  asked[1]?.draw(map);
  await Promise.all([first, second]);
  assert.deepEqual(told(), [{ type: 'map', map }, { type: 'tests', tests }]); // prettier-ignore
});

test('a failure is told; what was cancelled is told only where there is no map to stay with', async () => {
  const { session, asked, told } = waiting();
  const looked = session.look();
  asked[0]?.fail(userError('No.'));
  await looked;
  assert.deepEqual(told(), [{ type: 'error', message: 'No.' }]);
  const again = session.look();
  session.cancel();
  await again;
  assert.deepEqual(told(), [{ type: 'error', message: 'It was cancelled.' }]);
  const drawn = session.look();
  asked[2]?.draw(sampleFeatureMap(10));
  await drawn;
  told();
  const last = session.look();
  session.cancel();
  await last;
  assert.deepEqual(told(), []);
  assert.equal(session.map?.images.length, 10);
});

test('tests that were still being read when another network was chosen are not told of its map', async () => {
  const posted: FeatureMapPanelToPage[] = [];
  const read: ((tests: []) => void)[] = [];
  const session = createFeatureMapSession(
    {
      map: () => Promise.resolve(sampleFeatureMap(10)),
      tests: () => new Promise((resolve) => void read.push(resolve)),
    },
    (message) => posted.push(message),
  );
  const asked = session.refreshTests();
  session.forget();
  read[0]?.([]);
  await asked;
  assert.deepEqual(posted, []);
});
