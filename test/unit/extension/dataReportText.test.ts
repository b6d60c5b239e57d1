import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataReportText } from '../../../src/extension/commands/dataReportText.ts';
import { type DataReport, dataReportSchema, findingText, unevenClasses } from '../../../src/protocol/dataReport.ts';
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
  duplicates: [
    { files: ['train/1/a.jpg', 'valid/2/a.jpg'], same: 'file' as const, acrossSplits: true, acrossClasses: true },
  ],
};

const others = {
  notes: [],
  withoutClass: ['loose.jpg'],
  untrainable: { what: 'No train images for 1 class (rose).', todo: 'Add some.' },
};

test('each finding says in one sentence what is the case, and in another what to do', () => {
  const findings = dataFindings(counted, others);
  assert.ok(findings.length >= 7, `${findings.length} kinds of findings`);
  for (const { what, todo = '' } of findings) {
    assert.match(todo, /^(Add|Remove|Replace|Keep|Move)\b.*\.$/, what);
    assert.match(what, /^[A-Z0-9].{10,}\.$/u);
  }
});

test('the findings of older records, which are one sentence, are still read, and need nothing done', () => {
  const old = { level: 'info', message: 'A seed drew the split; all is well.' };
  const { findings } = dataReportSchema.parse({ ...counted, findings: [old] });
  assert.deepEqual(findings, [{ level: 'info', what: 'A seed drew the split; all is well.' }]);
  assert.deepEqual(findings.map(findingText), [old.message]);
});

test('the report names what does not decode with its reason, copies, and the numbers of every class', () => {
  const text = dataReportText({ ...counted, findings: dataFindings(counted, others) });
  assert.match(text, /`train\/1\/half; torn\.jpg`: The file ends too soon\./);
  assert.match(text, /`train\/1\/a\.jpg` = `valid\/2\/a\.jpg`/);
  assert.match(text, /\| daisy \(1\) \| 60 \| 5 \| 0 \|\n\| 2 \| 3 \| 1 \| 0 \|/);
  assert.equal(unevenClasses(counted)?.largest.name, 'daisy');
});

test('pictures that were re-encoded are listed apart from identical files, and old reports have none', () => {
  const old = { files: ['train/1/a.jpg', 'valid/1/b.jpg'], acrossSplits: true, acrossClasses: false };
  const anew = { files: ['train/1/c.jpg', 'test/1/c.png'], same: 'picture', acrossSplits: true, acrossClasses: false };
  const report = dataReportSchema.parse({ ...counted, duplicates: [old, anew], findings: [] });
  const [identical = '', picture = ''] = dataReportText(report).split('## The same picture, re-encoded');
  assert.match(identical, /## Identical files\n\n- `train\/1\/a\.jpg` = `valid\/1\/b\.jpg`\n/u);
  assert.match(picture, /^\n\n- `train\/1\/c\.jpg` ≈ `test\/1\/c\.png`\n/u);
  const said = dataFindings(report, others).map(findingText);
  assert.ok(said.some((message) => message.startsWith('2 images are in more than one split, 1 of them re-encoded (')));
});

test('ten thousand classes and a file that lies in all of them make a report of bounded length', () => {
  const classes = Array.from({ length: 10_000 }, (_, index) => {
    const folder = `class_${index}`;
    return { index, folder, name: folder, train: 3, valid: 1, test: 1 };
  });
  const files = classes.map(({ folder }) => `${folder}/gone.jpg`);
  const large = {
    ...counted,
    classes,
    duplicates: [{ files, same: 'file' as const, acrossSplits: true, acrossClasses: true }],
  };
  const findings = dataFindings(large, others);
  const copies = findings.map(findingText).filter((message) => message.includes('gone.jpg'));
  assert.equal(copies.length, 2);
  for (const message of copies) {
    assert.match(message, /class_0\/gone\.jpg = class_1\/gone\.jpg = class_2\/gone\.jpg and 9997 more\)/);
  }
  const text = dataReportText({ ...large, findings });
  assert.match(text, /\| class_999 \| .*\n\nAnd 9000 more, which `fivecrop check --json` lists\./);
  assert.ok(text.length < 100_000, `${text.length} characters`);
});
