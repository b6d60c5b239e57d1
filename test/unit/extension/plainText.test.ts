import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataReportText } from '../../../src/extension/commands/dataReportText.ts';
import { inCode, inLabel, inMarkdown, inMessage } from '../../../src/extension/plainText.ts';
import { rowTitle, runTooltip } from '../../../src/extension/views/formatRun.ts';
import { csv } from '../../../src/protocol/csv.ts';
import { createRunCatalogue } from '../../../src/extension/trainer/runCatalogue.ts';
import { temporaryFolder, writeRun } from './storedRun.ts';

const link = '[Show the run](command:workbench.action.terminal.new)';

test('a name is no link that runs a command in a notification', () => {
  // The pattern that the editor finds links by, in its words: `[text](address)` without a space between.
  assert.doesNotMatch(inMessage(`${link} failed.\nnext`), /\]\(|\n/);
});

test('a name is no picture in a list', () => {
  assert.equal(inLabel('$(trash) all $(sync~spin)'), '\\$(trash) all \\$(sync~spin)');
  assert.equal(inLabel('5 $ (each)'), '5 $ (each)');
});

test('names are text in Markdown: no link, picture, table cell, heading or HTML', () => {
  assert.equal(inMarkdown('a_b *c* <img src="https://x">|'), 'a_b \\*c\\* \\<img src="https://x"\\>\\|');
  assert.equal(inCode('a|b.jpg'), '`a|b.jpg`');
  assert.equal(inCode('a`b.jpg'), 'a\\`b.jpg');
  const name = `![x](https://elsewhere/x.png) ${link}\n# <b>`;
  const report = dataReportText({
    data: name,
    splitBy: 'seed',
    classes: [{ index: 0, folder: name, name, train: 1, valid: 1, test: 1 }],
    images: { train: 1, valid: 1, test: 1 },
    undecodable: [{ file: '`x`.jpg', reason: name }],
    duplicates: [],
    findings: [{ level: 'warning', what: name }],
  });
  assert.doesNotMatch(report, /[^\\]!\[|[^\\]\]\(|^# <|[^\\]<b/m);
});

test('the hover of a run shows names and reasons of its record as text', async (context) => {
  const parent = await temporaryFolder(context);
  const folder = await writeRun(parent, 'run', { name: `\u001b[2J${link}`, reason: `${link} | **b** <u>` });
  const catalogue = createRunCatalogue();
  await catalogue.scan([parent]);
  const run = catalogue.get(folder);
  assert.ok(run);
  const text = runTooltip(run);
  assert.doesNotMatch(text, /[^\\]\[Show|[^\\]\]\(|[^\\]<u/);
  assert.ok(!text.includes('\u001b'));
});

test('a spreadsheet takes no name for a formula, whichever sign it separates cells by', () => {
  const names = ['=cmd|x', '+1', '-1', '@a', '\t=1', '\r=1', ' =1', 'a;=cmd', 'a\n=1', '＝1'];
  for (const name of names) {
    const text = csv([['x', name]])
      .trim()
      .slice(2);
    const cells = text.replace(/^"|"$/g, '').split(/[;\t\r\n]/);
    for (const cell of cells) assert.doesNotMatch(cell, /^\s*[=+\-@＝＋－＠]/, JSON.stringify(text));
  }
  assert.equal(csv([['rose', 'a-b.jpg', -1.5]]), 'rose,a-b.jpg,-1.5\r\n');
});

test('a long name of a run loses its middle in the tree, since runs differ at both ends', () => {
  assert.equal(rowTitle('densenet169-head-3'), 'densenet169 head 3');
  assert.equal(rowTitle('timm.vit_small_patch14_dinov2.lvd142m-head-2'), 'timm.vit_sma…142m head 2');
});
