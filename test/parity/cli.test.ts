import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import type * as z from 'zod';
import { createRandom } from '../../src/ml/graph/random.ts';
import { dataReportSchema } from '../../src/protocol/dataReport.ts';
import { evaluationSchema } from '../../src/protocol/evaluation.ts';
import { failedPredictionSchema, imagePredictionSchema } from '../../src/protocol/prediction.ts';
import { trainingEventSchema, type TrainingEvent } from '../../src/protocol/trainingEvents.ts';
import { fivecrop } from '../integration/cli/runCommand.ts';

let folder = '';
const data = () => join(folder, 'data');
const checkpoint = () => join(folder, 'runs', 'first', 'checkpoints', 'last.safetensors');

/** Three kinds of noise that a small network tells apart, in folders whose order as text is not that of their numbers. */
async function writeData(): Promise<void> {
  const random = createRandom(5);
  const counts = { train: 8, valid: 4, test: 4 };
  for (const [kind, name] of ['1', '2', '10'].entries()) {
    for (const [split, count] of Object.entries(counts)) {
      await mkdir(join(data(), split, name), { recursive: true });
      for (let index = 0; index < count; index++) {
        const pixels = Buffer.alloc(48 * 40 * 3);
        for (let at = 0; at < pixels.length; at++) pixels[at] = random.integer(at % 3 === kind ? 256 : 60);
        const image = sharp(pixels, { raw: { width: 48, height: 40, channels: 3 } });
        await image.png().toFile(join(data(), split, name, `${index}.png`));
      }
    }
  }
  await writeFile(join(data(), 'cat_to_name.json'), JSON.stringify({ 1: 'red', 2: 'green', 10: 'blue' }));
}

/** Every line of `--json`, each of which must be an object of the schema. */
function parseLines<Schema extends z.ZodType>(stdout: string, schema: Schema): z.infer<Schema>[] {
  const lines = stdout.split('\n');
  assert.equal(lines.pop(), '');
  return lines.map((line) => schema.parse(JSON.parse(line)));
}

const small = '--arch ConvNet1 --method scratch --hidden none --image-size 32 --resize 36 --batch-size 8 --device cpu';
const train = (...more: readonly string[]) => [
  ...['train', data(), ...small.split(' '), '--seed', '3', '--out', join(folder, 'runs'), '--json'],
  ...more,
];
const kinds = (events: readonly TrainingEvent[]) => events.map(({ event }) => event);

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fivecrop-cli-'));
  await writeData();
  const { code, stdout, stderr } = await fivecrop(train('--name', 'first', '--epochs', '4', '--lr', '0.01'));
  assert.equal(code, 0, stderr);
  const events = parseLines(stdout, trainingEventSchema);
  assert.equal(kinds(events).filter((kind) => kind === 'step').length, 12);
  assert.equal(kinds(events).filter((kind) => kind === 'validation').length, 4);
  assert.ok(kinds(events).includes('start') && kinds(events).includes('checkpoint'));
  const done = events.at(-1);
  assert.ok(done?.event === 'done' && done.state === 'finished');
});
after(() => rm(folder, { recursive: true, force: true }));

test('test prints one evaluation, keeps it beside the checkpoint, and agrees with predict', async () => {
  const run = join(folder, 'runs', 'first');
  const shared = ['--checkpoint', run, '--crops', '5', '--device', 'cpu', '--json'];
  const tested = await fivecrop(['test', data(), ...shared]);
  assert.equal(tested.code, 0, tested.stderr);
  const [evaluation, ...more] = parseLines(tested.stdout, evaluationSchema);
  assert.ok(evaluation);
  assert.equal(more.length, 0);
  assert.deepEqual([evaluation.images, evaluation.top5, evaluation.cropCount], [12, 1, 5]);
  assert.ok(evaluation.accuracy > 0.9, `accuracy ${evaluation.accuracy}`);
  // Folders in the order of text, each with its own name.
  assert.deepEqual(
    evaluation.perClass.map(({ index, folder: name, name: shown }) => [index, name, shown]),
    [
      [0, '1', 'red'],
      [1, '10', 'blue'],
      [2, '2', 'green'],
    ],
  );
  const kept = (await readdir(join(run, 'checkpoints'))).filter((name) => name.startsWith('best.test-5.data-'));
  assert.equal(kept.length, 1);

  const predicted = await fivecrop(['predict', join(data(), 'test'), ...shared]);
  assert.equal(predicted.code, 0, predicted.stderr);
  const predictions = parseLines(predicted.stdout, imagePredictionSchema);
  assert.equal(predictions.length, evaluation.results.length);
  for (const { image, predicted: index, probability } of evaluation.results) {
    const [top] = predictions.find((prediction) => prediction.image === image)?.mean ?? [];
    assert.equal(top?.index, index, image);
    assert.ok(Math.abs(top.probability - probability) < 1e-6);
  }
});

test('test --target-error chooses the threshold by the validation images, and --curves writes those of the tested ones', async () => {
  const curves = join(folder, 'curves.csv');
  const args = ['--checkpoint', join(folder, 'runs', 'first'), '--device', 'cpu', '--json'];
  const { code, stdout, stderr } = await fivecrop(['test', data(), ...args, '--target-error', '0', '--curves', curves]);
  assert.equal(code, 0, stderr);
  const printed = JSON.parse(stdout) as {
    calibration: { bins: { images: number }[] };
    rejection: { validationImages: number; tested?: { images: number } };
    curves: { classes: { folder: string; images: number; points: unknown[] }[] };
  };
  assert.equal(printed.calibration.bins.reduce((sum, { images }) => sum + images, 0), 12); // prettier-ignore
  assert.deepEqual([printed.rejection.validationImages, printed.rejection.tested?.images], [12, 12]);
  assert.deepEqual(
    printed.curves.classes.map((curve) => [curve.folder, curve.images]),
    [
      ['1', 4],
      ['10', 4],
      ['2', 4],
    ],
  );
  const points = printed.curves.classes.reduce((sum, curve) => sum + curve.points.length, 0);
  assert.equal((await readFile(curves, 'utf8')).trimEnd().split('\r\n').length, 1 + points);
});

test('test --crops both tests the same images with one crop and with five', async () => {
  const args = ['--checkpoint', join(folder, 'runs', 'first'), '--crops', 'both', '--device', 'cpu', '--json'];
  const { code, stdout, stderr } = await fivecrop(['test', data(), ...args]);
  assert.equal(code, 0, stderr);
  const { tests, comparison } = JSON.parse(stdout) as {
    tests: { cropCount: number; images: number }[];
    comparison: { images: number; notCommon: number };
  };
  assert.deepEqual(tests.map(({ cropCount, images }) => [cropCount, images]), [[1, 12], [5, 12]]); // prettier-ignore
  assert.deepEqual([comparison.images, comparison.notCommon], [12, 0]);
});

test('predict names what does not decode, classifies the rest, and ends with 1', async () => {
  const broken = join(folder, 'broken.jpg');
  await writeFile(broken, 'no image');
  const good = join(data(), 'test', '10', '0.png');
  const args = ['predict', broken, good, '--checkpoint', checkpoint(), '--crops', '1', '--device', 'cpu', '--json'];
  const { code, stdout, stderr } = await fivecrop(args);
  assert.equal(code, 1);
  const [first, second] = stdout.split('\n');
  assert.equal(failedPredictionSchema.parse(JSON.parse(first ?? '')).image, broken);
  const { crops, mean } = imagePredictionSchema.parse(JSON.parse(second ?? ''));
  assert.deepEqual([crops.length, mean[0]?.folder, mean[0]?.name], [1, '10', 'blue']);
  assert.match(stderr, /broken\.jpg is left out/);
});

test('check prints the data report', async () => {
  const { code, stdout, stderr } = await fivecrop(['check', data(), '--json']);
  assert.equal(code, 0, stderr);
  const [report] = parseLines(stdout, dataReportSchema);
  assert.deepEqual(report?.images, { train: 24, valid: 12, test: 12 });
});

test('Ctrl-C finishes the step, saves, says how to continue and ends with 130; --resume goes on from there', async () => {
  let sent = false;
  const interrupted = await fivecrop(train('--name', 'second', '--epochs', '200'), {
    onOutput: (stdout) => {
      if (sent || !stdout.includes('"event":"step"')) return undefined;
      sent = true;
      return 'SIGINT';
    },
  });
  assert.equal(interrupted.code, 130, interrupted.stderr);
  const done = parseLines(interrupted.stdout, trainingEventSchema).at(-1);
  assert.ok(done?.event === 'done' && done.state === 'stopped');
  assert.ok(done.last !== undefined && existsSync(done.last));
  assert.match(interrupted.stderr, /--resume \S*last\.safetensors/);

  const epochs = String(Math.ceil((done.step + 1) / 3));
  const run = join(folder, 'runs', 'second');
  const resumed = await fivecrop(['train', '--resume', run, '--epochs', epochs, '--json']);
  assert.equal(resumed.code, 0, resumed.stderr);
  const events = parseLines(resumed.stdout, trainingEventSchema);
  const start = events.find(({ event }) => event === 'start');
  assert.ok(start?.event === 'start' && start.step === done.step && start.run === 'second');
  const firstStep = events.find(({ event }) => event === 'step');
  assert.ok(firstStep?.event === 'step' && firstStep.step === done.step + 1);
});

test('export writes an ONNX file, and runs lists what was trained', async () => {
  const out = join(folder, 'first.onnx');
  const exported = await fivecrop(['export', checkpoint(), out]);
  assert.deepEqual([exported.code, exported.stdout], [0, ''], exported.stderr);
  assert.ok(existsSync(out));
  const listed = await fivecrop(['runs', join(folder, 'runs'), '--json']);
  const names = listed.stdout
    .trim()
    .split('\n')
    .map((line) => basename((JSON.parse(line) as { folder: string }).folder));
  assert.ok(names.includes('first'));
});

test('devices --self-check says for each device how far its training is from the CPU’s, and succeeds where none fails', async () => {
  const { code, stdout } = await fivecrop(['devices', '--self-check', '--json'], {
    env: { VK_ICD_FILENAMES: '/nowhere' },
  });
  assert.equal(code, 0);
  const devices = stdout.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>); // prettier-ignore
  const cpu = devices.find(({ engine, name }) => engine === 'onnx' && name === 'cpu');
  const { difference, lossDifference, secondsPerStep } = cpu?.['check'] as Record<string, number>;
  assert.deepEqual([difference, lossDifference], [0, 0], 'the CPU agrees with itself');
  assert.ok(secondsPerStep !== undefined && secondsPerStep > 0);
  assert.deepEqual(devices.filter(({ refused }) => refused), [], 'what is not there has not failed'); // prettier-ignore
});
