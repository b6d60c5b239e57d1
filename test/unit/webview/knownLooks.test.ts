import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PredictionPanelToHost, PredictionPanelToPage } from '../../../src/protocol/predictionPanel.ts';
import { knownLooks } from '../../../src/webview/prediction/knownLooks.ts';
import { sampleExplanation } from '../../pages/samples.ts';

const [image, index] = ['/a.jpg', 2];
const setup: Extract<PredictionPanelToPage, { type: 'setup' }> = {
  ...{ type: 'setup', sources: [], source: '', crops: 5, wholeImages: false, topK: 5 },
};
const explain: PredictionPanelToHost = { type: 'explain', image, index };
const cancel: PredictionPanelToHost = { type: 'cancelExplaining' };
const explanation: PredictionPanelToPage = {
  ...{ type: 'explanation', explanation: sampleExplanation(image, index), precision: 'float32' },
};

/** A page that heard of two images with five crops, and asked for a class in one of them. */
function asking() {
  const sent: PredictionPanelToHost[] = [];
  const looks = knownLooks(
    (message) => sent.push(message),
    () => undefined,
  );
  looks.hear(setup);
  looks.hear({ type: 'images', images: [image, '/b.jpg'] });
  looks.look(image, index);
  return { looks, sent };
}

/** What makes an explanation one of something else. */
const ends: Record<string, PredictionPanelToPage> = {
  'all results are forgotten': { type: 'clear' },
  'its image leaves the list': { type: 'images', images: ['/b.jpg'] },
  'the number of crops changes': { ...setup, crops: 1 },
  'the network turns out to see whole images': { ...setup, wholeImages: true },
};

for (const [when, message] of Object.entries(ends)) {
  test(`where a class was seen is forgotten when ${when}, and cancelled if it is not known yet`, () => {
    const waiting = asking();
    waiting.looks.hear(message);
    assert.equal(waiting.looks.of(image).state, 'off');
    assert.deepEqual(waiting.sent, [explain, cancel]);
    const { looks, sent } = asking();
    looks.hear(explanation);
    assert.equal(looks.of(image).state, 'seen');
    looks.hear(message);
    assert.equal(looks.of(image).state, 'off');
    assert.deepEqual(sent, [explain]);
  });
}

test('where a class was seen stays when other images come or go, and when the same setup is said again', () => {
  const { looks, sent } = asking();
  looks.hear(setup);
  looks.hear({ type: 'images', images: [image, '/c.jpg'] });
  assert.equal(looks.of(image).state, 'busy');
  assert.deepEqual(sent, [explain]);
});
