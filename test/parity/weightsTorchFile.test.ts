import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { StateDict } from '../../src/ml/graph/tensor.ts';
import { readReportCheckpoint } from '../../src/ml/weights/reportCheckpoint.ts';
import { loadWeightsFile } from '../../src/ml/weights/weightsFile.ts';

const fixtures = join(import.meta.dirname, '..', '..', '..', 'shared', 'fixtures');
const options = existsSync(fixtures) ? {} : { skip: '../shared/fixtures is not there' };

interface Summary {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly sum: number;
  readonly sumOfAbsolutes: number;
  readonly last: number;
}

/** What torch 1.13 (`torch.load`, sums in float64) says of the tensors, by file and name, in order. */
const expected = JSON.parse(
  readFileSync(join(import.meta.dirname, 'weightsTorchFile.expected.json'), 'utf8'),
) as Readonly<Record<'report_checkpoint' | 'squeezenet1_1_state_dict', Readonly<Record<string, Summary>>>>;

function assertMatches(state: StateDict, summaries: Readonly<Record<string, Summary>>): void {
  assert.deepEqual([...state.keys()], Object.keys(summaries));
  for (const [name, { shape, dtype, sum, sumOfAbsolutes, last }] of Object.entries(summaries)) {
    const tensor = state.get(name);
    assert.ok(tensor);
    assert.deepEqual([tensor.dtype, tensor.shape], [dtype, shape], name);
    const values = Array.from(tensor.data, Number);
    const total = values.reduce((running, value) => running + value, 0);
    const absolute = values.reduce((running, value) => running + Math.abs(value), 0);
    // Only the order of the additions may differ.
    assert.ok(Math.abs(total - sum) <= 1e-12 * sumOfAbsolutes, `${name}: ${total} instead of ${sum}`);
    assert.ok(Math.abs(absolute - sumOfAbsolutes) <= 1e-12 * sumOfAbsolutes, name);
    assert.equal(values.at(-1), last, name);
  }
}

test("both of torch's formats of the report's checkpoint give the tensors that torch reads", options, async () => {
  const [zip, legacy] = await Promise.all(
    ['zip', 'legacy'].map((format) => loadWeightsFile(join(fixtures, `report_checkpoint_${format}.pth`))),
  );
  assert.ok(zip && legacy);
  assert.deepEqual([...zip], [...legacy]);
  assertMatches(zip, expected.report_checkpoint);
});

test('a bare state dict gives the tensors that torch reads', options, async () => {
  const state = await loadWeightsFile(join(fixtures, 'squeezenet1_1_state_dict_zip.pth'));
  assertMatches(state, expected.squeezenet1_1_state_dict);
});

test(
  "the report's checkpoint says which network it is, and keeps index, folder and name together",
  options,
  async () => {
    for (const format of ['zip', 'legacy']) {
      const report = await readReportCheckpoint(join(fixtures, `report_checkpoint_${format}.pth`));
      assert.equal(report.modelName, 'ConvNet1');
      assert.deepEqual(report.hidden, [16]);
      assert.equal(report.classes.length, 10);
      // The script sorts folders as text, so "10" comes second.
      assert.deepEqual(report.classes.slice(0, 3), [
        { index: 0, folder: '1', name: 'flower 1' },
        { index: 1, folder: '10', name: 'flower 10' },
        { index: 2, folder: '2', name: 'flower 2' },
      ]);
      assert.deepEqual(report.state.get('fc.output.weight')?.shape, [10, 16]);
    }
  },
);

test('a bare state dict is not a checkpoint of the report', options, async () => {
  await assert.rejects(
    readReportCheckpoint(join(fixtures, 'squeezenet1_1_state_dict_zip.pth')),
    /not a checkpoint of the report's script/,
  );
});
