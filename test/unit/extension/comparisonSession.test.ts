import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ComparableRun,
  createComparisonSession,
  type TestRequest,
} from '../../../src/extension/panels/comparisonSession.ts';
import type { Evaluation } from '../../../src/protocol/evaluation.ts';
import type { RunRecord } from '../../../src/protocol/runRecord.ts';
import { trainingConfigSchema } from '../../../src/protocol/trainingConfig.ts';
import type { ComparisonResult, ComparisonWish, TrainingPanelToPage } from '../../../src/protocol/trainingPanel.ts';

function record(name: string): RunRecord {
  return {
    ...{ version: 1, name, created: '', updated: '', state: 'finished' },
    config: trainingConfigSchema.parse({ data: '/flowers', network: { kind: 'architecture', name: 'resnet18' } }),
    environment: { fivecrop: '0.1.0', node: 'v20', platform: 'linux-x64', fallbacks: [] },
  };
}

/** A test of images of one class and another, of which so many are right. */
function evaluation(images: readonly string[], right: number): Evaluation {
  const results = images.map((image, place) => ({
    image: `/flowers/${image}`,
    ...{ actual: 0, predicted: place < right ? 0 : 1, probability: 0.8, actualProbability: place < right ? 0.8 : 0.2 },
  }));
  const perClass = ['rose', 'lily'].map((folder, index) => ({ index, folder, name: folder, images: 0, accuracy: 0 }));
  return {
    ...{ version: 1, checkpoint: '', data: '/flowers', split: 'test', cropCount: 1, images: images.length, leftOut: 0 },
    ...{ loss: 1, accuracy: 0, top5: 1, perClass, confusion: [], results, time: '' },
  };
}

const same = ['a.jpg', 'b.jpg', 'c.jpg', 'd.jpg'];

/** Two runs whose tests are kept or made, and what the page hears. */
function stage(
  kept: Record<string, Evaluation>,
  made: Record<string, Evaluation> = {},
  unsaved: readonly string[] = [],
) {
  // prettier-ignore
  const tests = new Map(Object.entries(kept));
  const messages: TrainingPanelToPage[] = [];
  const asked: TestRequest[] = [];
  const session = createComparisonSession(
    {
      runs: (folders): ComparableRun[] =>
        folders.map((folder) => ({
          ...{ folder, record: record(folder), checkpoint: unsaved.includes(folder) ? undefined : folder },
        })),
      kept: (checkpoint) => Promise.resolve(tests.get(checkpoint)),
      evaluate: (request) => {
        asked.push(request);
        const found = made[request.checkpoint];
        if (found) tests.set(request.checkpoint, found);
        return Promise.resolve();
      },
    },
    (message) => messages.push(message),
  );
  const compare = async (changes: Partial<ComparisonWish> = {}): Promise<ComparisonResult | undefined> => {
    await session.compare({ folders: ['first', 'second'], split: 'test', crops: 1, common: false, test: false, ...changes }); // prettier-ignore
    const told = messages.filter((message) => message.type === 'comparison').at(-1);
    return told?.result;
  };
  return { session, messages, asked, compare };
}

test('runs whose tests are kept are compared without a test', async () => {
  const { compare, asked, session } = stage({ first: evaluation(same, 3), second: evaluation(same, 1) });
  const result = await compare();
  assert.equal(result?.kind, 'compared');
  assert.deepEqual(
    result.comparison.pairs.map(({ onlyFirst, onlySecond, p }) => [onlyFirst, onlySecond, p]),
    [[2, 0, 0.5]],
  );
  assert.deepEqual([asked.length, result.comparison.names], [0, ['first', 'second']]);
  assert.match(session.report('markdown')?.content ?? '', /^# Comparison of first, second\n/u);
});

test('a run without a test is named, and tested alone when that is asked for', async () => {
  const { compare, asked } = stage({ first: evaluation(same, 3) }, { second: evaluation(same, 4) });
  assert.deepEqual(await compare(), { kind: 'untested', names: ['second'] });
  assert.equal((await compare({ test: true, crops: 5 }))?.kind, 'compared');
  assert.deepEqual(
    asked.map(({ checkpoint, data, split, cropCount }) => [checkpoint, data, split, cropCount]),
    [['second', '/flowers', 'test', 5]],
  );
});

test('runs that were tested on different images are refused, and compared on the common ones if that is asked for', async () => {
  const { compare, session } = stage({ first: evaluation(same, 3), second: evaluation(['d.jpg', 'e.jpg'], 1) });
  const refused = await compare();
  assert.equal(refused?.kind, 'different');
  assert.equal(refused.common, 1);
  assert.match(refused.reason, /^first and second were tested on different images \(4 and 2, 1 of them the same\)/u);
  assert.equal(session.report('json'), undefined);
  const common = await compare({ common: true });
  assert.equal(common?.kind === 'compared' && common.comparison.images, 1);
});

test('a run that has saved nothing is refused, and two runs of one name are told apart', async () => {
  const { compare } = stage({ first: evaluation(same, 3) }, {}, ['second']);
  assert.match(JSON.stringify(await compare({ test: true })), /second has saved no checkpoint yet/u);
  const twice = await compare({ folders: ['first', 'first'] });
  assert.deepEqual(twice?.kind === 'compared' && twice.comparison.names, ['first', 'first (2)']);
});

test('a page that begins anew hears the comparison again', async () => {
  const { compare, session, messages } = stage({ first: evaluation(same, 3), second: evaluation(same, 1) });
  await compare();
  const told = messages.filter(({ type }) => type === 'comparison');
  messages.length = 0;
  session.replay();
  assert.deepEqual(messages.filter(({ type }) => type === 'comparison'), told); // prettier-ignore
});
