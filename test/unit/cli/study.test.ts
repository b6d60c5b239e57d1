import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { planStudy } from '../../../src/ml/cli/planStudy.ts';
import { runStudy, type StudyWorkers } from '../../../src/ml/cli/runStudy.ts';
import { cancelled, CancelledError, UserError } from '../../../src/protocol/errors.ts';
import { trainingConfigSchema } from '../../../src/protocol/trainingConfig.ts';
import { createRunFolder, reopenRunFolder } from '../../../src/runs/runFolder.ts';

const environment = { fivecrop: '1', node: '1', platform: 'x', fallbacks: [] };

async function place(t: TestContext) {
  const out = await mkdtemp(join(tmpdir(), 'fivecrop-study-'));
  t.after(() => rm(out, { recursive: true, force: true }));
  return { out, name: 'study-depths' };
}

/** Workers that write the folders of runs and train nothing; `ends` says how the run of a label ends. */
function workers(ends: (label: string) => 'finished' | 'stopped' | 'failed') {
  const trained: { label: string; resumed: boolean }[] = [];
  const made: StudyWorkers = {
    say: () => undefined,
    signal: new AbortController().signal,
    test: () => Promise.reject(new UserError('There are no test images.')),
    train: async ({ label, run, config: planned }, args) => {
      const [flag, value = ''] = args;
      trained.push({ label, resumed: flag === '--resume' });
      const state = ends(label);
      const out = args[args.indexOf('--out') + 1] ?? '';
      const config = trainingConfigSchema.parse(planned);
      const record = { created: new Date().toISOString(), state: 'preparing' as const, config, environment };
      const folder = flag === '--resume' ? await reopenRunFolder(value) : await createRunFolder(out, run, record);
      await folder.update({ state });
      await folder.close();
      if (state === 'stopped') throw cancelled();
      return state === 'failed' ? 'it failed.' : undefined;
    },
  };
  return { made, trained };
}

const options = { of: 'ConvNet1,ConvNet2,ConvNet3' };

test('a study trains what the report compares: networks, methods and depths', async () => {
  const summary = async (kind: 'networks' | 'methods' | 'depths', given = {}) =>
    (await planStudy(kind, '/d', given)).map(({ label, config: { network, method } }) => [
      label,
      network.kind === 'architecture' ? network.name : '',
      method,
    ]);
  assert.deepEqual(await summary('networks'), [
    ['densenet169', 'densenet169', 'head'],
    ['resnet18', 'resnet18', 'head'],
  ]);
  assert.deepEqual(await summary('methods', { arch: 'resnet18' }), [
    ['head', 'resnet18', 'head'],
    ['full', 'resnet18', 'full'],
    ['scratch', 'resnet18', 'scratch'],
  ]);
  assert.deepEqual(await summary('depths'), [
    ['ConvNet1', 'ConvNet1', 'scratch'],
    ['ConvNet2', 'ConvNet2', 'scratch'],
    ['ConvNet3', 'ConvNet3', 'scratch'],
    ['densenet169', 'densenet169', 'scratch'],
  ]);
});

test('all runs of a study have the settings of its flags', async () => {
  const parts = await planStudy('methods', '/d', { epochs: '3', batchSize: '8', seed: '7' });
  for (const { config } of parts) assert.deepEqual([config.epochs, config.batchSize, config.seed], [3, 8, 7]);
});

test('a study of what there is not, of one thing, or of one thing twice is a wrong use', async () => {
  for (const [kind, of] of [
    ['networks', 'resnet18,resnet19000'],
    ['networks', 'resnet18'],
    ['methods', 'head,heads'],
    ['depths', 'ConvNet1,convnet1'],
  ] as const) {
    const isUsage = (error: unknown) => error instanceof UserError && error.kind === 'usage';
    await assert.rejects(planStudy(kind, '/d', { of }), isUsage, of);
  }
});

test('a study that was stopped goes on with the run that was stopped, and does nothing twice', async (t) => {
  const here = await place(t);
  const parts = await planStudy('depths', '/d', options);
  const first = workers((label) => (label === 'ConvNet2' ? 'stopped' : 'finished'));
  await assert.rejects(runStudy('depths', parts, [], here, first.made), CancelledError);
  const second = workers(() => 'finished');
  const { results, file } = await runStudy('depths', parts, [], here, second.made);
  assert.deepEqual(second.trained, [
    { label: 'ConvNet2', resumed: true },
    { label: 'ConvNet3', resumed: false },
  ]);
  assert.equal(results.length, 3);
  assert.match(await readFile(file, 'utf8'), /ConvNet3/u);
  const names = (await readdir(here.out)).sort();
  assert.deepEqual(names, ['study-depths', ...[1, 2, 3].map((depth) => `study-depths-ConvNet${depth}`)]);
});

test('a run that fails is named in the results and tried again at the next start, and the others are trained', async (t) => {
  const here = await place(t);
  const parts = await planStudy('depths', '/d', options);
  const first = workers((label) => (label === 'ConvNet1' ? 'failed' : 'finished'));
  const { missing, results } = await runStudy('depths', parts, [], here, first.made);
  assert.deepEqual(missing, [{ label: 'ConvNet1', reason: 'it failed.' }]);
  assert.equal(results.length, 2);
  const second = workers(() => 'finished');
  assert.deepEqual((await runStudy('depths', parts, [], here, second.made)).missing, []);
  assert.deepEqual(second.trained, [{ label: 'ConvNet1', resumed: true }]);
});

test('runs whose weights are not here are left out, until they are', async (t) => {
  const here = await place(t);
  const parts = await planStudy('networks', '/d', { of: 'resnet18,densenet169,mobilenet_v2' });
  const without = [{ label: 'resnet18', reason: 'no weights.' }];
  const first = workers(() => 'finished');
  assert.deepEqual((await runStudy('networks', parts, without, here, first.made)).missing, without);
  const second = workers(() => 'finished');
  await runStudy('networks', parts, [], here, second.made);
  assert.deepEqual(second.trained, [{ label: 'resnet18', resumed: false }]);
});

test('a run whose weights are gone counts if it has finished before', async (t) => {
  const here = await place(t);
  const parts = await planStudy('networks', '/d', { of: 'resnet18,mobilenet_v2' });
  await runStudy('networks', parts, [], here, workers(() => 'finished').made);
  const again = workers(() => 'finished');
  const without = [{ label: 'resnet18', reason: 'no weights.' }];
  const { missing, results } = await runStudy('networks', parts, without, here, again.made);
  assert.deepEqual([missing, results.length, again.trained], [[], 2, []]);
});

test('a run of a study that was deleted is trained anew, and what has come to its place is neither counted nor touched', async (t) => {
  const here = await place(t);
  const folder = (label: string) => join(here.out, `study-depths-${label}`);
  const parts = await planStudy('depths', '/d', options);
  await runStudy('depths', parts, [], here, workers(() => 'finished').made);
  await rm(folder('ConvNet1'), { recursive: true });
  await rm(folder('ConvNet2'), { recursive: true });
  await mkdir(folder('ConvNet2'));
  // A run of other images takes the name of one of the study.
  const elsewhere = await planStudy('depths', '/other', options);
  await runStudy('depths', elsewhere, [], { ...here, name: 'other' }, workers(() => 'stopped').made).catch(
    () => undefined,
  );
  await rm(folder('ConvNet3'), { recursive: true });
  await rename(join(here.out, 'other-ConvNet1'), folder('ConvNet3'));
  const again = workers(() => 'finished');
  const { results, missing } = await runStudy('depths', parts, [], here, again.made);
  assert.deepEqual(again.trained, [{ label: 'ConvNet1', resumed: false }]);
  assert.deepEqual(
    results.map(({ label }) => label),
    ['ConvNet1'],
  );
  assert.deepEqual(missing, [
    {
      label: 'ConvNet2',
      reason: 'the folder of its run, study-depths-ConvNet2, is there without a run: delete or rename it.',
    },
    {
      label: 'ConvNet3',
      reason:
        'the folder of its run, study-depths-ConvNet3, holds another one: data is /other and not /d. Delete or rename it.',
    },
  ]);
});

test('another study in the same folder is refused, and names the setting that differs', async (t) => {
  const here = await place(t);
  const { made } = workers(() => 'finished');
  await runStudy('depths', await planStudy('depths', '/d', options), [], here, made);
  const changed = await planStudy('depths', '/d', { ...options, epochs: '9' });
  await assert.rejects(runStudy('depths', changed, [], here, made), /ConvNet1 with epochs 5 and not 9/u);
  await assert.rejects(runStudy('methods', await planStudy('methods', '/d', {}), [], here, made), /compares depths/u);
});
