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

test('an undo or redo that was asked for behind an edit that fails is about that edit, and does nothing', async () => {
  const failing = new Set(['b', 'd']);
  const made: string[] = [];
  const session = createEditingSession<object>((action) => {
    const what = action.kind === 'edit' && action.edit.kind === 'skip' ? (action.edit.images[0] ?? '') : action.kind;
    if (failing.has(what)) return Promise.reject(userError('No.'));
    made.push(what);
    return Promise.resolve();
  }, () => undefined); // prettier-ignore
  const ask = (what: string) =>
    session.act(what === 'undo' || what === 'redo' || what === 'look' ? { kind: what } : { kind: 'edit', edit: { kind: 'skip', images: [what] } }, 'page'); // prettier-ignore
  const afterAll = async (...asked: string[]) => {
    made.length = 0;
    await Promise.all(asked.map(ask));
    return made.filter((what) => what !== 'look');
  };
  assert.deepEqual(await afterAll('a', 'b', 'undo'), ['a']);
  assert.deepEqual(await afterAll('a', 'b', 'undo', 'undo'), ['a', 'undo'], 'the second one is about the edit before');
  assert.deepEqual(await afterAll('b', 'c', 'undo', 'undo', 'redo', 'redo'), ['c', 'undo', 'redo']);
  assert.deepEqual(
    await afterAll('b', 'undo', 'redo', 'undo', 'undo'),
    ['undo'],
    'the last one is about an older edit',
  );
  assert.deepEqual(await afterAll('b', 'redo'), [], 'behind an edit nothing can be redone');
  assert.deepEqual(await afterAll('undo'), ['undo'], 'after the answer it is about what the page shows');
});

test('a page that undoes what failed is answered, still sees why, and sees the data as they are', async () => {
  const ways = ['nothing', 'failed', 'figures'];
  const heard: string[] = [];
  const session = createEditingSession<object>((_, { onFigures }) => {
    const way = ways.shift();
    if (way === 'figures') onFigures({});
    return way === 'failed' ? Promise.reject(userError('No.')) : Promise.resolve();
  }, (message) => {
    if (message.type === 'figures') heard.push(`${message.figures ? 'new' : 'no'} figures ${message.isAnswer}`);
    if (message.type === 'error') heard.push(`${message.message} ${message.isAnswer}`);
  }); // prettier-ignore
  await Promise.all([
    session.act({ kind: 'edit', edit: { kind: 'skip', images: ['a'] } }, 'page'),
    session.act({ kind: 'edit', edit: { kind: 'skip', images: ['b'] } }, 'page'),
    session.act({ kind: 'undo' }, 'page'),
  ]);
  const undone = ['no figures true', 'No. false', 'new figures false', 'No. false'];
  assert.deepEqual(heard, ['no figures true', 'No. true', ...undone]);
});
