import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keptImages } from '../../../src/ml/cleaning/keptImages.ts';
import type { DataEdit, EditStep } from '../../../src/protocol/dataEdits.ts';

const moved = (from: string, to: string): EditStep => ({ step: 'move', from, to });

function entry(edit: DataEdit, ...steps: EditStep[]) {
  return { id: 1, time: '2026-01-02T09:00:00.000Z', edit, steps };
}

test('images that were kept stay so where they, or the folders they are in, are moved to', () => {
  const kept = keptImages([
    entry({ kind: 'keep', images: ['cat/1.jpg', 'cat/2.jpg'] }),
    entry({ kind: 'move', images: ['cat/1.jpg'], to: 'dog' }, moved('cat/1.jpg', 'dog/1 (2).jpg')),
    entry({ kind: 'move', images: ['dog/1.jpg'], to: 'cat' }, moved('dog/1.jpg', 'cat/1.jpg')),
    entry({ kind: 'rename', from: 'dog', to: 'wolf' }, moved('dog', 'wolf')),
    entry({ kind: 'rename', from: 'cat', to: 'dog' }, moved('cat', 'dog')),
    entry({ kind: 'keep', images: ['wolf/3.jpg'] }),
  ]);
  assert.deepEqual([...kept], ['wolf/1 (2).jpg', 'dog/2.jpg', 'wolf/3.jpg']);
});
