import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameAgain } from '../../../src/extension/commands/nameAgain.ts';
import { trainingConfigSchema } from '../../../src/protocol/trainingConfig.ts';

test('a run that is trained again keeps the name that was chosen, and a default name stays one', () => {
  const config = trainingConfigSchema.parse({ data: '/d', network: { kind: 'architecture', name: 'resnet18' } });
  const again = (name: string) => nameAgain({ name, config });
  assert.equal(again('sgd'), 'sgd');
  assert.equal(again('sgd-2'), 'sgd');
  assert.equal(again('flowers-2026'), 'flowers-2026');
  assert.equal(again(`resnet18-${config.method}-warm`), `resnet18-${config.method}-warm`);
  for (const end of ['', '-3', '-2026-11-29', '-2026-11-29-2']) {
    assert.equal(again(`resnet18-${config.method}${end}`), undefined, end);
  }
});
