import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { stopRun } from '../../../src/ml/mcp/stopRun.ts';
import { readControl } from '../../../src/runs/control.ts';
import { readStoredRun } from '../../../src/runs/list.ts';
import { temporaryFolder, writeRun } from '../extension/storedRun.ts';

const elsewhere = { pid: 2, started: '2026-01-02T03:04:05.000Z', host: 'another machine' };

suite('stopping a run for an agent', () => {
  test('asks by its folder if its process cannot be signalled from here', async (t) => {
    const parent = await temporaryFolder(t);
    const folder = await writeRun(parent, 'far', { state: 'running', process: elsewhere, heedsControl: true });
    await stopRun(await readStoredRun(folder));
    assert.equal((await readControl(folder))?.action, 'stop');
  });

  test('says so if nothing reaches it, and leaves nothing behind', async (t) => {
    const folder = await writeRun(await temporaryFolder(t), 'old', { state: 'running', process: elsewhere });
    await assert.rejects(async () => stopRun(await readStoredRun(folder)), /^UserError: The process of old cannot be reached/u); // prettier-ignore
    assert.equal(await readControl(folder), undefined);
  });
});
