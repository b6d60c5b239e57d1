import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { bundleFile, bundleOfTexts } from '../../../scripts/texts.ts';
import { webviewHtml } from '../../../src/extension/panels/webviewHtml.ts';

const root = join(import.meta.dirname, '../../..');

test('translators find every text of the editor and its pages, and none that is not used', async () => {
  assert.equal(await readFile(join(root, bundleFile), 'utf8'), await bundleOfTexts(root), 'npm run texts writes it');
});

test('a page in another language is told so and bears its texts, whatever they hold', () => {
  const page = { title: 'Training', panel: 'a', cspSource: '', script: '', style: '', nonce: 'b' };
  const texts = { Stop: '„Stopp“ & "<b>"' };
  const html = webviewHtml({ ...page, language: 'de', texts });
  assert.match(html, /<html lang="de">/);
  const attribute = /data-texts="([^"]*)"/.exec(html)?.[1] ?? '';
  const plain = attribute
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&');
  assert.deepEqual(JSON.parse(plain), texts);
  assert.doesNotMatch(webviewHtml({ ...page, language: 'en', texts: undefined }), /data-texts/);
});
