import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { removeFolder } from '../../scripts/host/codeServer.ts';
import { changeTheme, explorerRow, screenshot, showInPalette, skipReason, withWorkbench } from './workbench.ts';

test('the packaged extension installs, and its commands are in the palette', { skip: skipReason }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-smoke-'));
  try {
    await writeFile(join(folder, 'notes.txt'), 'nothing to classify');
    await withWorkbench({ folder, theme: 'light' }, async (workbench) => {
      const { page } = workbench;
      await explorerRow(workbench, 'notes.txt');
      await showInPalette(workbench, 'Fivecrop: ', /^Fivecrop: /);
      await page.keyboard.press('Escape');
      await changeTheme(workbench, 'highContrast');
      await screenshot(workbench, 'smoke', ['light', 'dark', 'highContrast']);
    });
  } finally {
    await removeFolder(folder);
  }
});
