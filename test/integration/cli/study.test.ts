import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { chooseTrainingEngine } from '../../../src/ml/engine/chooseTrainingEngine.ts';
import { finishStudy } from '../../../src/ml/service/finishStudy.ts';
import { trainRun } from '../../../src/ml/training/run/trainRun.ts';
import { readCheckpoint } from '../../../src/ml/weights/checkpoint.ts';
import { runFiles } from '../../../src/protocol/runRecord.ts';
import { givenConfigSchema } from '../../../src/protocol/trainingConfig.ts';
import { drawTinyDataset, temporaryFolder } from '../../unit/training/tinyDataset.ts';
import { fivecrop } from './runCommand.ts';

const preload = pathToFileURL(join(import.meta.dirname, '../../faults/slowSteps.mjs')).href;

test('a study that is killed goes on when it is started again, and its runs are those of an uninterrupted one', async (t) => {
  const folder = await temporaryFolder(t);
  const data = await drawTinyDataset(folder, 7, 4, 5);
  const small = ['--image-size', '32', '--resize', '36', '--hidden', '8', '--batch-size', '5', '--validate-every', '3'];
  const args = [
    'study',
    'depths',
    data,
    '--of',
    'ConvNet1,ConvNet2',
    '--epochs',
    '2',
    ...small,
    '--device',
    'cpu',
    '--json',
  ];
  const afterFourSteps = (stdout: string) => (stdout.split('"event":"step"').length > 4 ? 'SIGKILL' : undefined);
  // It waits before its second checkpoint, so that it does not end before the kill arrives.
  const hold = join(folder, 'hold');
  await writeFile(hold, 'hold 4');
  const slowly = { NODE_OPTIONS: `--import=${preload}`, FIVECROP_SLOW: hold };
  const killed = await fivecrop(args, { cwd: folder, env: slowly, onOutput: afterFourSteps });
  assert.equal(killed.code, null, killed.stderr);
  const { code, stdout, stderr } = await fivecrop(args, { cwd: folder });
  assert.equal(code, 0, stderr);
  // The first run went on from a checkpoint and took the others of its ten steps.
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { event: string; step?: number });
  const [start] = events.filter(({ event }) => event === 'start');
  assert.ok((start?.step ?? 0) >= 3, JSON.stringify(start));
  const result = events.at(-1) as unknown as {
    event: string;
    runs: { label: string; test: { images: number } }[];
    pairs: { p: number }[];
  };
  assert.deepEqual([result.event, result.pairs.length], ['study', 1]);
  assert.deepEqual(
    result.runs.map(({ label, test: { images } }) => [label, images]),
    [
      ['ConvNet1', 15],
      ['ConvNet2', 15],
    ],
  );
  const study = join(folder, 'runs/study-depths');
  assert.match(await readFile(join(study, 'study.md'), 'utf8'), /\| ConvNet1 \| ConvNet2 \|/u);
  // The editor tests the runs again only if it has to, and writes the same.
  const text = await readFile(join(study, 'study.md'), 'utf8');
  const request = {
    type: 'study' as const,
    folder: study,
    missing: [],
    engine: 'onnx' as const,
    device: 'cpu' as const,
  };
  const failing = { use: () => assert.fail('a test is kept') };
  await finishStudy(request, failing, { signal: new AbortController().signal, answer: () => undefined });
  assert.equal(await readFile(join(study, 'study.md'), 'utf8'), text);
  const settings = await readFile(join(study, 'study-depths-ConvNet1.fivecrop.json'), 'utf8');
  const config = givenConfigSchema.parse(JSON.parse(settings));
  await trainRun(config, { out: join(folder, 'runs'), name: 'whole', chooseEngine: chooseTrainingEngine });
  const last = (run: string) => readCheckpoint(join(folder, 'runs', run, runFiles.checkpoints, runFiles.last));
  const [wanted, found] = [await last('whole'), await last('study-depths-ConvNet1')];
  assert.equal(found.state.size, wanted.state.size);
  for (const [tensor, { data: values }] of wanted.state)
    assert.deepEqual(found.state.get(tensor)?.data, values, tensor);
});
