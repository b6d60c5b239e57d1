import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Locator } from 'playwright-core';
import { removeFolder } from '../../scripts/host/codeServer.ts';
import { drawSampleDataset } from '../../src/ml/data/drawSampleDataset.ts';
import { fivecrop } from '../unit/cli/runCommand.ts';
import {
  answerInput,
  explorerRow,
  quickInput,
  screenshot,
  skipReason,
  webview,
  withWorkbench,
  type Workbench,
} from './workbench.ts';

const smallNetwork = ['--arch', 'ConvNet1', '--method', 'scratch', '--image-size', '32', '--resize', '36'];

test(
  'an open image is classified from its editor’s title, another is dropped on the panel, and both are exported',
  { skip: skipReason },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fivecrop-opened-'));
    try {
      await drawSampleDataset(join(folder, 'flowers'), 0);
      const args = ['train', 'flowers', ...smallNetwork, '--device', 'cpu', '--epochs', '1', '--name', 'small'];
      const { code, stderr } = await fivecrop(args, { cwd: folder });
      assert.equal(code, 0, stderr);
      await withWorkbench({ folder }, async (workbench) => {
        const { page } = workbench;
        const image = await explorerRow(workbench, 'flowers/test/1/flower_51.jpg');
        await image.dblclick();
        await page.locator('.editor-actions a[aria-label^="Classify Image"]').click();
        await webview(workbench).locator('article.crop').nth(4).waitFor();

        const other = await explorerRow(workbench, 'flowers/test/1/flower_52.jpg');
        await dropOnPage(workbench, other);
        await webview(workbench)
          .getByText(/2 images/)
          .first()
          .waitFor();
        await screenshot(workbench, 'scenario-dropped');

        const file = join(folder, 'both.csv');
        await webview(workbench).getByRole('button', { name: 'CSV', exact: true }).click();
        await quickInput(workbench).locator('input').waitFor();
        await answerInput(workbench, file);
        await until(() => existsSync(file), 'the table is written');
        const [heading = '', ...rows] = (await readFile(file, 'utf8')).trim().split(/\r?\n/);
        assert.match(heading, /^image,class1,/);
        assert.deepEqual(
          rows.map((row) => /flower_\d+\.jpg/.exec(row)?.[0]),
          ['flower_51.jpg', 'flower_52.jpg'],
        );
      });
    } finally {
      await removeFolder(folder);
    }
  },
);

/** Drags a row of the explorer onto the page; Shift, once it is on its way, hands it to the page. */
async function dropOnPage({ page }: Workbench, row: Locator): Promise<void> {
  const from = await row.boundingBox();
  const to = await page.locator('iframe.webview.ready').first().boundingBox();
  assert.ok(from && to);
  await page.mouse.move(from.x + 60, from.y + 10);
  await page.mouse.down();
  await page.mouse.move(from.x + 90, from.y + 40, { steps: 5 });
  await page.keyboard.down('Shift');
  await page.mouse.move(to.x + to.width / 2, to.y + to.height / 2, { steps: 12 });
  // The editor lifts what it laid over the page when it learns of Shift.
  await page.waitForTimeout(500);
  await page.mouse.move(to.x + to.width / 2 + 20, to.y + to.height / 2 + 20, { steps: 4 });
  await page.mouse.up();
  await page.keyboard.up('Shift');
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`Waited a minute until ${what}.`);
    await delay(100);
  }
}
