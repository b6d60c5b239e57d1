import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Labelling } from '../../../src/protocol/labelling.ts';
import type { LabellingPanelToHost } from '../../../src/protocol/labellingPanel.ts';
import { editedData } from '../../../src/webview/components/editedData.ts';
import { matchingClasses } from '../../../src/webview/components/matchingClasses.ts';
import { openImages } from '../../../src/webview/labelling/openImages.ts';
import { type LabellingPageState, labellingPageStateSchema } from '../../../src/webview/labelling/pageState.ts';
import { sampleLabelling } from '../../pages/samples.ts';

function opened() {
  const sent: LabellingPanelToHost[] = [];
  let value: LabellingPageState = labellingPageStateSchema.parse({});
  const state = {
    get value() {
      return value;
    },
    change: (changes: Partial<LabellingPageState>) => {
      value = { ...value, ...changes };
    },
  };
  const data = editedData<Labelling>((message) => sent.push(message));
  const open = openImages(data, state, () => undefined);
  data.told(sampleLabelling(0), false);
  return { open, data, state, sent };
}

test('keys that are faster than the host label one image after the other, and none twice', () => {
  const { open, data, sent } = opened();
  const images = open.items().map(({ image }) => image);
  for (let press = 0; press < 3; press++) open.label('1');
  // Figures of the first label come while the others are still asked for.
  data.told(sampleLabelling(1), true);
  open.label('2');
  const labelled = sent.flatMap((message) => (message.type === 'edit' && message.edit.kind === 'label' ? message.edit.images : [])); // prettier-ignore
  assert.deepEqual(labelled, images.slice(0, 4));
  // Those that failed come back once nothing is asked for any more.
  for (let answers = 0; answers < 3; answers++) data.told(undefined, true);
  assert.equal(open.items()[0]?.image, images[1]);
});

test('undo and redo are asked for while what they are of is still on its way', () => {
  const { open, data, sent } = opened();
  open.label('1');
  data.undo();
  data.redo();
  assert.deepEqual(sent.map(({ type }) => type), ['edit', 'undo', 'redo']); // prettier-ignore
});

test('after a label what would teach most is next, wherever in the list the labelled one was', () => {
  const { open, state } = opened();
  const [first, , third] = open.items();
  state.change({ selected: third?.image ?? '' });
  open.skip();
  assert.equal(open.chosen()?.image, first?.image);
});

test('classes are found by the beginning of their names, and after those by what is in them', () => {
  const classes = ['primrose', 'rose', 'rosemary', 'tulip'].map((name, at) => ({ folder: String(at), name }));
  assert.deepEqual(matchingClasses(classes, 'Rose').map(({ name }) => name), ['rose', 'rosemary', 'primrose']); // prettier-ignore
  assert.deepEqual(matchingClasses(classes, '3').map(({ name }) => name), ['tulip']); // prettier-ignore
  assert.deepEqual(matchingClasses(classes, 'x'), []);
});
