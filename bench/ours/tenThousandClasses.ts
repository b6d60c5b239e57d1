import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkData } from '../../src/ml/data/checkData.ts';
import { scanDataset } from '../../src/ml/data/scanDataset.ts';
import { evaluationSchema } from '../../src/protocol/evaluation.ts';
import { imagePredictionSchema } from '../../src/protocol/prediction.ts';
import { trainingEventSchema, type TrainingEvent } from '../../src/protocol/trainingEvents.ts';
import { median } from '../result.ts';
import { distinctImages } from './smallImages.ts';
import { report } from './report.ts';
import { watchCommand } from './watchCommand.ts';

/* All that a data set of many classes goes through, in the shell. Arguments: network, weights, classes, images of each. */
const [network = '', weights = '', ...numbers] = process.argv.slice(2);
const [classes = 2, images = 3] = numbers.map(Number);
const { folder, remove } = await distinctImages(classes, images);
const out = mkdtempSync(join(tmpdir(), 'fivecrop-bench-runs-'));

async function timed<Result>(work: () => Promise<Result>): Promise<[result: Result, seconds: number]> {
  const began = performance.now();
  const result = await work();
  return [result, (performance.now() - began) / 1000];
}

async function train() {
  const times: { event: TrainingEvent; seconds: number }[] = [];
  const flags = ['--arch', network, '--weights', weights, '--image-size', '32', '--resize', '36', '--device', 'cpu'];
  const plan = [
    '--epochs',
    '1',
    '--batch-size',
    '128',
    '--validate-every',
    '100000',
    '--out',
    out,
    '--name',
    'run',
    '--json',
  ];
  const { memory } = await watchCommand(['train', folder, ...flags, ...plan], (line, seconds) =>
    times.push({ event: trainingEventSchema.parse(JSON.parse(line)), seconds }),
  );
  const at = (name: TrainingEvent['event']) => times.filter(({ event }) => event.event === name);
  const steps = at('step').map(({ seconds }) => seconds);
  const lasted = steps.slice(1).map((seconds, index) => seconds - (steps[index] ?? 0));
  // `best` and `last` are one file, written after the validation is told of.
  const saving = (at('checkpoint').at(-1)?.seconds ?? 0) - (at('validation').at(-1)?.seconds ?? 0);
  return { first: steps[0] ?? 0, step: median(lasted.slice(2)) * 1000, saving, memory };
}

async function test(checkpoint: string) {
  let tested = 0;
  const { seconds, memory } = await watchCommand(
    ['test', folder, '--checkpoint', checkpoint, '--device', 'cpu', '--json'],
    (line) => (tested = evaluationSchema.parse(JSON.parse(line)).perClass.length),
  );
  if (tested !== classes) throw new Error(`${tested} classes were tested`);
  return { test: seconds, testMemory: memory };
}

async function predict(checkpoint: string) {
  const times: number[] = [];
  await watchCommand(
    ['predict', join(folder, 'class_00000'), '--checkpoint', checkpoint, '--device', 'cpu', '--json'],
    (line, seconds) => {
      imagePredictionSchema.parse(JSON.parse(line));
      times.push(seconds);
    },
  );
  if (times.length !== images) throw new Error(`${times.length} images were predicted`);
  return { predict: times.at(-1) ?? 0 };
}

try {
  const shares = { validShare: 0.15, testShare: 0.15, seed: 0 };
  const [dataset, scan] = await timed(() => scanDataset(folder, shares));
  const [, check] = await timed(() => checkData(dataset, { decode: false }));
  const trained = await train();
  const checkpoint = join(out, 'run', 'checkpoints', 'last.safetensors');
  const figures = { ...(await test(checkpoint)), ...(await predict(checkpoint)) };
  const record = statSync(join(out, 'run', 'run.json')).size / 2 ** 20;
  report({ scan, check, ...trained, ...figures, record });
} finally {
  remove();
  rmSync(out, { recursive: true, force: true });
}
