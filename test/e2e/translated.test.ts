import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { getL10nPseudoLocalized } from '@vscode/l10n-dev';
import type { Page } from 'playwright-core';
import { drawSampleDataset } from '../../src/ml/data/drawSampleDataset.ts';
import { fivecrop } from '../integration/cli/runCommand.ts';
import { stage } from './scenarios.ts';
import { openViewContainer, quickInput, runCommand, treeRow, webview } from './workbench.ts';

/** A language of which the registry has nothing: only what this file writes is in it. */
const language = 'qps-ploc';

function pseudo(text: string): string {
  const translated = getL10nPseudoLocalized({ text })['text'];
  assert.ok(typeof translated === 'string');
  return translated;
}

const scenario = stage({
  prepare: async (folder) => {
    await drawSampleDataset(join(folder, 'flowers'), 0);
    const small = ['--arch', 'ConvNet1', '--method', 'scratch', '--image-size', '32', '--resize', '36'];
    const args = ['train', 'flowers', ...small, '--device', 'cpu', '--epochs', '1', '--name', 'small'];
    const { code, stderr } = await fivecrop(args, { cwd: folder });
    assert.equal(code, 0, stderr);
  },
  beforeOpening: async ({ dataFolder }, page) => {
    await translate(join(dataFolder, 'extensions'));
    await speak(page);
  },
});

/** Translates what the package has for translators, each text into itself with accents. */
async function translate(extensions: string): Promise<void> {
  const name = (await readdir(extensions)).find((each) => each.includes('fivecrop'));
  const extension = join(extensions, name ?? '');
  for (const [from, to] of [
    ['package.nls.json', `package.nls.${language}.json`],
    ['l10n/bundle.l10n.json', `l10n/bundle.l10n.${language}.json`],
  ] as const) {
    const texts = JSON.parse(await readFile(join(extension, from), 'utf8')) as Record<string, string>;
    await writeFile(join(extension, to), JSON.stringify(getL10nPseudoLocalized(texts)));
  }
}

/** The workbench keeps its own English texts, for which it looks elsewhere. */
async function speak(page: Page): Promise<void> {
  await page.addInitScript(`globalThis._VSCODE_NLS_LANGUAGE = ${JSON.stringify(language)};`);
}

scenario('a translation reaches the palette, a tree, a quick pick and a page', async ({ workbench }) => {
  await openViewContainer(workbench, 'Fivecrop');
  const row = treeRow(workbench, pseudo('Checkpoints'), 'small');
  await row.filter({ hasText: pseudo('finished') }).waitFor();

  await runCommand(workbench, `Fivecrop: ${pseudo('Train Again with These Settings...')}`);
  await quickInput(workbench).getByText(pseudo('Start Training')).waitFor();
  await quickInput(workbench).getByText(pseudo('1 epoch')).waitFor();
  await workbench.page.keyboard.press('Escape');

  await row.click();
  const page = webview(workbench);
  await page.locator('.state', { hasText: pseudo('Finished') }).waitFor();
  await page.getByText(pseudo('Validation accuracy'), { exact: true }).waitFor();
  assert.equal(await page.locator('html').getAttribute('lang'), language);
});
