import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cleaning, CleaningItem } from '../../../src/protocol/cleaning.ts';
import type { CleaningPanelToHost } from '../../../src/protocol/cleaningPanel.ts';
import { type CleaningPageState, cleaningPageStateSchema } from '../../../src/webview/cleaning/pageState.ts';
import { itemKey, shownItems } from '../../../src/webview/cleaning/shownItems.ts';
import { editedData } from '../../../src/webview/components/editedData.ts';
import { sampleCleaning } from '../../pages/samples.ts';

function pair(image: string, twin: string): CleaningItem {
  return { kind: 'duplicate', image, twin, folder: '1', likely: '1', probability: 1, score: 1 };
}

function opened(items: CleaningItem[]) {
  const sent: CleaningPanelToHost[] = [];
  let value: CleaningPageState = cleaningPageStateSchema.parse({ kind: 'duplicate' });
  const state = {
    get value() {
      return value;
    },
    change: (changes: Partial<CleaningPageState>) => {
      value = { ...value, ...changes };
    },
  };
  const send = (message: CleaningPanelToHost) => sent.push(message);
  const data = editedData<Cleaning>(send);
  const shown = shownItems(data, state, send, () => undefined);
  const cleaning = { ...sampleCleaning(0), items };
  data.told(cleaning, false);
  const aside = () => sent.flatMap((message) => (message.type === 'edit' && message.edit.kind === 'putAside' ? message.edit.images : [])); // prettier-ignore
  return { shown, data, state, cleaning, aside };
}

test('of near-duplicates one always stays, however fast the keys are', () => {
  const { shown, aside } = opened([pair('b', 'a'), pair('c', 'b'), pair('c', 'a')]);
  for (let press = 0; press < 5; press++) shown.act('accept');
  assert.deepEqual(aside(), ['b', 'c']);
  const chain = opened([pair('c', 'b'), pair('b', 'c')]);
  for (let press = 0; press < 5; press++) chain.shown.act('accept');
  assert.deepEqual(chain.aside(), ['c']);
});

test('of an image with several twins the pair that is chosen is shown', () => {
  const { shown, state } = opened([pair('c', 'a'), pair('c', 'b')]);
  state.change({ selected: itemKey(pair('c', 'b')) });
  assert.equal(shown.chosen()?.twin, 'b');
});

test('images that something was asked for come back only with the answer to it', () => {
  const { shown, data, cleaning } = opened([pair('b', 'a'), pair('d', 'c')]);
  shown.act('accept');
  data.told(cleaning, false);
  assert.deepEqual(shown.items().map(({ image }) => image), ['d']); // prettier-ignore
  data.told(undefined, true);
  assert.deepEqual(shown.items().map(({ image }) => image), ['b', 'd']); // prettier-ignore
});
