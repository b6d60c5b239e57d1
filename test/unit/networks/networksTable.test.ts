import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { withNetworks, withNetworkSetting } from '../../../scripts/networksTable.ts';

test('README lists the networks that the registry has', async () => {
  const file = join(import.meta.dirname, '../../../README.md');
  const text = await readFile(file, 'utf8');
  assert.ok((await withNetworks(text, file)) === text, 'npm run networks:table writes it');
});

test('the setting of the network offers those that the registry has', async () => {
  const file = join(import.meta.dirname, '../../../package.json');
  const text = await readFile(file, 'utf8');
  assert.ok((await withNetworkSetting(text, file)) === text, 'npm run networks:table writes it');
});
