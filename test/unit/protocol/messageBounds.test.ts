import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluationPanelToHostSchema } from '../../../src/protocol/evaluationPanel.ts';
import { predictionPanelToHostSchema, predictionPanelToPageSchema } from '../../../src/protocol/predictionPanel.ts';
import { serviceAnswerSchema, serviceRequestSchema } from '../../../src/protocol/serviceProtocol.ts';
import { trainerMessageSchema } from '../../../src/protocol/trainerProtocol.ts';
import { trainingPanelToHostSchema, trainingPanelToPageSchema } from '../../../src/protocol/trainingPanel.ts';

const longestPath = `/${'é'.repeat(4096 * 8 - 1)}`;
const manyPaths = Array.from({ length: 100_000 }, (_, index) => `/images/${index}.jpg`);
const time = '2026-01-02T03:04:05.000Z';
const log = (message: string) => ({ event: 'log', time, level: 'warning', message });
const predict = (images: readonly string[]) => ({
  id: 1,
  request: {
    ...{ type: 'predict', images, source: { kind: 'checkpoint', path: longestPath }, crops: 5, topK: 5 },
    ...{ thumbnail: 224, precision: 'float32', engine: 'auto', device: 'auto' },
  },
});

test('long paths, long lists and long lines of a log pass between pages, window and processes', () => {
  serviceRequestSchema.parse(predict([...manyPaths, longestPath]));
  serviceAnswerSchema.parse({ id: 1, answer: { type: 'images', images: manyPaths } });
  serviceAnswerSchema.parse({ id: 1, answer: { type: 'log', level: 'info', message: 'x'.repeat(100_000) } });
  predictionPanelToPageSchema.parse({ type: 'images', images: manyPaths });
  predictionPanelToHostSchema.parse({ type: 'dropped', uris: manyPaths });
  predictionPanelToHostSchema.parse({ type: 'exportCsv', content: 'x'.repeat(10_000_000) });
  trainerMessageSchema.parse({ type: 'event', event: log('x'.repeat(100_000)) });
  const events = Array.from({ length: 20_000 }, () => log('x'));
  trainingPanelToPageSchema.parse({ type: 'events', folder: longestPath, from: 0, events });
});

const endless = 'x'.repeat(2_000_000);
const wild: readonly (readonly [string, { safeParse: (value: unknown) => { success: boolean } }, object])[] = [
  ['a path without end', predictionPanelToHostSchema, { type: 'open', image: endless }],
  ['a picture of no size', evaluationPanelToHostSchema, { type: 'picture', image: '/a.jpg', size: 0 }],
  ['a picture of a million pixels a side', trainingPanelToHostSchema, { type: 'picture', image: '/a', size: 1e6 }],
  ['more runs than there are', trainingPanelToHostSchema, { type: 'show', folders: Array(200_000).fill('/run') }],
  ['a request for a path without end', serviceRequestSchema, predict([endless])],
  ['a log line without end', serviceAnswerSchema, { id: 1, answer: { type: 'log', level: 'info', message: endless } }],
  ['an event without end', trainerMessageSchema, { type: 'event', event: log(endless) }],
  ['fewer events than none', trainerMessageSchema, { type: 'hello', version: 1, run: 'run', events: -1 }],
];
for (const [what, schema, message] of wild) {
  test(`a message with ${what} is refused`, () => assert.equal(schema.safeParse(message).success, false));
}
