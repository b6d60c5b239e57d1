import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  CancelledError,
  checkData,
  exportClassifier,
  listNetworks,
  listRuns,
  loadClassifier,
  readRun,
  readRunEvents,
  resumeTraining,
  testClassifier,
  trainClassifier,
  UserError,
  type TrainingEvent,
  type TrainingSettings,
} from '../../../src/ml/library/main.ts';
import { noiseImage, temporaryFolder, writeFiles, writeNoiseImages } from '../../unit/data/temporaryImages.ts';

const settings: TrainingSettings = {
  network: { kind: 'architecture', name: 'ConvNet1' },
  method: 'scratch',
  imageSize: 32,
  resize: 36,
  epochs: 1,
  batchSize: 4,
  engine: 'onnx',
  device: 'cpu',
};
const computing = { engine: 'onnx', device: 'cpu' } as const;

test('a run is trained, read, resumed, tested, exported and used', async (t) => {
  const folder = await temporaryFolder(t);
  const data = join(folder, 'data');
  await writeNoiseImages(data, 6);
  for (let index = 0; index < 4; index++) {
    await writeFiles(
      data,
      [`valid/${index % 2 === 0 ? 'even' : 'odd'}/${index}.png`],
      await noiseImage(50 + index, 60, 50),
    );
  }
  assert.deepEqual(
    (await checkData(data)).findings.filter(({ level }) => level === 'error'),
    [],
  );
  const out = join(folder, 'runs');
  const events: TrainingEvent[] = [];
  const run = await trainClassifier(data, settings, { out, name: 'first', onEvent: (event) => events.push(event) });
  assert.deepEqual([run.state, run.steps, run.folder], ['finished', 3, join(out, 'first')]);
  assert.equal(events.filter(({ event }) => event === 'step').length, 3);
  const resumed = await resumeTraining(run.folder, { epochs: 2 });
  assert.deepEqual([resumed.folder, resumed.steps], [run.folder, 6]);
  const steps = [];
  for await (const event of readRunEvents(run.folder)) if (event.event === 'step') steps.push(event.step);
  assert.deepEqual(steps, [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(
    (await listRuns(out)).runs.map(({ folder: one, state }) => [one, state]),
    [[run.folder, 'finished']],
  );
  assert.equal((await readRun(run.folder)).record.config.epochs, 2);

  const tested = await testClassifier(run.folder, data, { split: 'valid', ...computing });
  assert.equal(tested.evaluation.images, 4);
  assert.ok((await readFile(tested.file ?? '', 'utf8')).includes('"accuracy"'));

  const file = join(folder, 'model.onnx');
  await exportClassifier(run.folder, file, { input: 'normalized' });
  const inBrowsers = join(folder, 'model');
  const { files, tests } = await exportClassifier(run.folder, inBrowsers, { format: 'tfjs', tests: 2, imagesOfData: false }); // prettier-ignore
  assert.ok(files.includes(join(inBrowsers, 'index.html')));
  assert.deepEqual(tests, { count: 2, ofData: 0 });
  assert.equal((await exportClassifier(run.folder, join(folder, 'model.pth'))).format, 'pth');
  await assert.rejects(exportClassifier(run.folder, join(folder, 'hub'), { format: 'timm' }), { name: 'UserError', message: /export it as \*\.onnx, which runs anywhere\.$/u }); // prettier-ignore
  const [fromRun, fromExport] = await Promise.all([
    loadClassifier(resumed.best ?? '', computing),
    loadClassifier({ kind: 'backbone', file }, computing),
  ]);
  const image = join(data, 'valid/even/0.png');
  const bytes = await readFile(image);
  const byPath = await fromRun.classify(image, { crops: 1 });
  assert.deepEqual((await fromRun.classify(bytes, { crops: 1 })).mean, byPath.mean);
  assert.equal((await fromRun.classify({ name: 'mine.png', content: bytes })).image, 'mine.png');
  const exported = await fromExport.classify(image, { crops: 1 });
  for (const [at, { folder: name, probability }] of exported.mean.entries()) {
    assert.equal(name, byPath.mean[at]?.folder);
    assert.ok(Math.abs(probability - (byPath.mean[at]?.probability ?? 0)) < 1e-4);
  }
  await Promise.all([fromRun.dispose(), fromExport.dispose()]);
});

test('what goes wrong is told apart by its type', async (t) => {
  const folder = await temporaryFolder(t);
  await writeNoiseImages(join(folder, 'data'), 2);
  const usage = { name: 'UserError', kind: 'usage' };
  await assert.rejects(trainClassifier(folder, { ...settings, epochs: -1 }), {
    ...usage,
    message: /^epochs: expected/u,
  });
  const misspelt: object = { ...settings, epoch: 1 };
  await assert.rejects(trainClassifier(folder, misspelt as TrainingSettings), { ...usage, message: /epoch/u });
  await assert.rejects(trainClassifier(folder, settings, { name: '../up' }), usage);
  await assert.rejects(loadClassifier(join(folder, 'gone')), UserError);
  await assert.rejects(resumeTraining(folder), UserError);
  await assert.rejects(exportClassifier(folder, 'model.txt'), usage);
  await assert.rejects(checkData(join(folder, 'data'), { signal: AbortSignal.abort() }), CancelledError);
  assert.ok(listNetworks().includes('resnet18'));
});
