import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataReportText, halvesOf, isUneven } from '../../../src/extension/commands/dataReportText.ts';
import type { DataReport } from '../../../src/protocol/dataReport.ts';
import { dataFindings } from '../../../src/ml/data/dataFindings.ts';

const counted: Omit<DataReport, 'findings'> = {
  data: '/flowers',
  splitBy: 'folders',
  classes: [
    { index: 0, folder: '1', name: 'daisy', train: 60, valid: 5, test: 0 },
    { index: 1, folder: '2', name: '2', train: 3, valid: 1, test: 0 },
    { index: 2, folder: '3', name: 'rose', train: 0, valid: 1, test: 0 },
  ],
  images: { train: 63, valid: 7, test: 0 },
  undecodable: [{ file: 'train/1/half; torn.jpg', reason: 'The file ends too soon.' }],
  duplicates: [{ files: ['train/1/a.jpg', 'valid/2/a.jpg'], acrossSplits: true, acrossClasses: true }],
};

test('each finding says in one half what is the case, and in the other what to do', () => {
  const findings = dataFindings(counted, []);
  assert.ok(findings.length >= 7, `${findings.length} kinds of findings`);
  for (const { message } of findings) {
    const { what, todo = '' } = halvesOf(message);
    assert.match(todo, /^(Add|Remove|Replace|Keep)\b.*\.$/, message);
    assert.ok(what.length > 10 && !what.endsWith('.'), message);
  }
});

test('a message of one half stands alone', () => {
  assert.deepEqual(halvesOf('A seed drew the split.'), { what: 'A seed drew the split.' });
});

test('the report names what does not decode with its reason, copies, and the numbers of every class', () => {
  const text = dataReportText({ ...counted, findings: dataFindings(counted, []) });
  assert.match(text, /`train\/1\/half; torn\.jpg`: The file ends too soon\./);
  assert.match(text, /`train\/1\/a\.jpg` = `valid\/2\/a\.jpg`/);
  assert.match(text, /\| 2 \| 2 \| 3 \| 1 \| 0 \|/);
  assert.ok(isUneven(counted));
});
