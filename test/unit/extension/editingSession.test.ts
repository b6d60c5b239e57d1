import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEditingSession } from '../../../src/extension/panels/editingSession.ts';
import type { EditingPanelToPage } from '../../../src/protocol/editingPanel.ts';
import { cancelled, userError } from '../../../src/protocol/errors.ts';

/** What the page hears beside progress; each action does what is next in `ways`. */
function opened(...ways: ('figures' | 'figures, then cancelled' | 'cancelled' | 'failed')[]) {
  const heard: string[] = [];
  const post = (message: EditingPanelToPage<object>) => {
    if (message.type === 'figures') heard.push(`figures ${message.isAnswer}`);
    if (message.type === 'error') heard.push(`${message.message} ${message.isAnswer}`);
  };
  const session = createEditingSession<object>((_, { onFigures }) => {
    const way = ways.shift();
    if (way?.startsWith('figures') === true) onFigures({});
    if (way?.endsWith('cancelled') === true) return Promise.reject(cancelled());
    return way === 'failed' ? Promise.reject(userError('No.')) : Promise.resolve();
  }, post);
  return { session, heard };
}

test('an edit that was made is not called cancelled', async () => {
  const { session, heard } = opened('figures, then cancelled', 'cancelled');
  await session.act({ kind: 'undo' }, 'page');
  await session.act({ kind: 'undo' }, 'page');
  assert.deepEqual(heard, ['figures true', 'It was cancelled. true']);
});

test('why an edit failed stays until the user asks for something else, why a look failed until the next', async () => {
  const { session, heard } = opened('failed', 'figures', 'figures', 'failed', 'figures');
  await session.act({ kind: 'redo' }, 'page');
  await session.act({ kind: 'look' }, 'watcher');
  await session.act({ kind: 'look' }, 'user');
  await session.act({ kind: 'look' }, 'watcher');
  await session.act({ kind: 'look' }, 'watcher');
  const [edit, look] = [heard.slice(0, 3), heard.slice(3)];
  assert.deepEqual(edit, ['No. true', 'figures false', 'No. false']);
  assert.deepEqual(look, ['figures false', 'No. false', 'figures false']);
});

test('edits that wait while a page is closed are made, looks are not', async () => {
  const made: string[] = [];
  const session = createEditingSession<object>(({ kind }, { signal }) => {
    if (signal.aborted) return Promise.reject(cancelled());
    made.push(kind);
    return Promise.resolve();
  }, () => undefined); // prettier-ignore
  const asked = [session.act({ kind: 'undo' }, 'page'), session.act({ kind: 'look' }, 'user'), session.act({ kind: 'redo' }, 'page')]; // prettier-ignore
  session.stopLooking();
  await Promise.all(asked);
  assert.deepEqual(made, ['undo', 'redo']);
});
