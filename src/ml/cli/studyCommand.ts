import { Command } from 'commander';
import { basename, relative, resolve } from 'node:path';
import process from 'node:process';
import { UserError } from '../../protocol/errors.ts';
import { comparedInReport, type StudyKind, studyKinds, type StudyPart } from '../../protocol/study.ts';
import { weightsAdviceForShell } from '../../protocol/weightsAdvice.ts';
import { seesWholeImage } from '../../protocol/preprocessing.ts';
import { compareResults, numbersOf, type StudyResult } from '../results/studyResults.ts';
import type { EndOfWork } from '../webhook/webhook.ts';
import { defaultWeightsFolder } from '../weights/weightsPlaces.ts';
import { placementFromFlags } from './computingFlags.ts';
import type { OptionValues } from './configFlags.ts';
import { withInterrupt } from './interrupt.ts';
import { createOutput, type Output } from './output.ts';
import { findWithoutWeights, planStudy, requireTrainable, type WithoutWeights } from './planStudy.ts';
import { type FinishedStudy, runStudy, type StudyWorkers } from './runStudy.ts';
import { formatTable } from './table.ts';
import { testedRun } from './testedRun.ts';
import { tellWebhook } from './tellWebhook.ts';
import { trainToEnd } from './trainApart.ts';
import { addTrainingOptions } from './trainingFlags.ts';
import { createTrainingView } from './trainingView.ts';
import { webhookFrom, webhookOption } from './webhookOption.ts';

const summaries: Readonly<Record<StudyKind, string>> = {
  networks: 'train several pretrained networks in the same way',
  methods: 'train one network by several methods',
  depths: 'train networks of several depths from scratch',
};

const examples: Readonly<Record<StudyKind, string>> = {
  networks: 'fivecrop study networks flowers --of resnet18,mobilenet_v2 --feature-views 4',
  methods: 'fivecrop study methods flowers --arch resnet18 --lr 0.0001',
  depths: 'fivecrop study depths flowers --of ConvNet1,ConvNet2 --epochs 2',
};

/** Flags of `train` that say what a study says itself, or that an ONNX file needs, which trains a head only. */
const decided: Readonly<Record<StudyKind, readonly string[]>> = {
  networks: ['--arch', '--weights'],
  methods: ['--method'],
  depths: ['--arch', '--weights', '--method', '--top-tensors', '--lora-rank', '--lora-alpha', '--feature-views'],
};
const neverTaken = [
  ...['--backbone', '--preprocess', '--mean', '--std', '--scale', '--channels', '--pool', '--features-output'],
  ...['--trainable-tensors', '--pretrained', '--no-pretrained'],
];

const footer = `
Trains each run in a folder of its own, one after the other, tests its best checkpoint on the test images, and writes
study.md with tables, McNemar’s tests and pictures into the study’s folder. Start it again with the same words after a stop
or a crash, and it continues where it was; what was done is kept. Settings are those of fivecrop train, the same in all runs.`;

/** `fivecrop study`: see its help text. */
export function studyCommand(): Command {
  const command = new Command('study')
    .summary('train runs that differ in one thing, and compare them')
    .description(
      'Trains runs that differ in their network, their method or their depth, and compares them as the report does.',
    )
    .addHelpText('after', footer);
  for (const kind of studyKinds) command.addCommand(commandOf(kind));
  return command;
}

function commandOf(kind: StudyKind): Command {
  const command = new Command(kind)
    .summary(summaries[kind])
    .description(`${sentence(summaries[kind])}, test them on the same images, and write the comparison.`)
    .argument('<data>', 'folder of images, as for train')
    .option('--of <list>', `what is compared, separated by commas [${comparedInReport[kind].join(',')}]`)
    .option('--out <folder>', 'folder to create the folders of the study and of its runs in', 'runs')
    .option('--name <name>', `name of the study’s folder, with which the names of its runs begin [study-${kind}]`)
    .addHelpText('after', `\nExample:\n  ${examples[kind]}\n${footer}`);
  addTrainingOptions(command, [...decided[kind], ...neverTaken]);
  return command
    .addOption(webhookOption())
    .option('--json', 'print the events of the runs, then one object with the results')
    .action((data: string, options: OptionValues) => study(kind, data, options));
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

async function study(kind: StudyKind, data: string, options: OptionValues): Promise<void> {
  const output = createOutput(options['json'] === true);
  const parts = await planStudy(kind, data, options);
  await requireTrainable(parts);
  const without = await findWithoutWeights(parts);
  if (without.length > 0) {
    const left = leftOut(without);
    if (without.length === parts.length) throw new UserError(left, 'weights');
    output.say(weightsAdviceForShell(left, defaultWeightsFolder()));
  }
  const { out, name } = options;
  const place = { out: resolve(String(out)), name: typeof name === 'string' ? name : `study-${kind}` };
  const missing = without.map(({ label, reason }) => ({ label, reason: reason.message }));
  const stopping = () =>
    output.say('Finishing the step and saving; the same command continues. Ctrl-C again quits at once.');
  const work = () =>
    withInterrupt(stopping, (signal) =>
      runStudy(kind, parts, missing, place, workersOf(kind, options, output, signal)),
    );
  const { webhook } = webhookFrom(options);
  const reported = async () => {
    const study = await work();
    report(study, output);
    return study;
  };
  // All is written and said before a server is waited for.
  const finished = await tellWebhook(webhook, { kind: 'study', name: place.name }, reported, endOfStudy, output.say);
  // What failed has been said; runs without weights were left out knowingly.
  if (finished.missing.some(({ label }) => without.every((part) => part.label !== label))) process.exitCode = 1;
}

/** How a study ended that ran to its end. */
function endOfStudy({ results, missing }: FinishedStudy): Omit<EndOfWork, 'kind' | 'name'> {
  const scores = results.flatMap((result) => {
    const { best } = numbersOf(result);
    return best ? [{ run: basename(result.run.folder), accuracy: best.accuracy, loss: best.loss }] : [];
  });
  const [best] = scores.sort((a, b) => b.accuracy - a.accuracy || a.loss - b.loss);
  return {
    ...{ state: 'finished', reason: 'All runs have ended.' },
    ...(best ? { best: { ...best, of: 'validation' } } : {}),
    runs: { finished: results.length, failed: missing.length },
  };
}

/** One sentence on the runs that cannot begin. */
function leftOut(without: readonly WithoutWeights[]): string {
  const reasons = [...new Set(without.map(({ reason }) => reason.message.replace(/\.$/u, '')))];
  const clauses = reasons.map((reason) => reason.charAt(0).toLowerCase() + reason.slice(1));
  const labels = without.map(({ label }) => label).join(', ');
  return `Without their pretrained weights these cannot be trained: ${labels} (${clauses.join('; ')}).`;
}

function workersOf(kind: StudyKind, options: OptionValues, output: Output, signal: AbortSignal): StudyWorkers {
  return {
    signal,
    say: output.say,
    train: (part, args) => trainPart(part, args, output, signal),
    test: async (folder) => {
      const placement = await placementFromFlags(options, output.say);
      const wish = { data: undefined, split: 'test' as const };
      const { evaluation: test } = await testedRun(folder, { ...wish, cropCount: 1 }, placement, output);
      if (kind !== 'networks' || seesWholeImage(test.fit)) return { test };
      const { evaluation: fiveCrops } = await testedRun(folder, { ...wish, cropCount: 5 }, placement, output);
      return { test, fiveCrops };
    },
  };
}

async function trainPart(
  { label, run }: StudyPart,
  args: readonly string[],
  output: Output,
  signal: AbortSignal,
): Promise<string | undefined> {
  const view = createTrainingView(output);
  const failure = await trainToEnd(args, `the process of its run ${run}`, {
    signal,
    onEvent: (event) => {
      // The process says what it logs on its standard error, too.
      if (output.json) output.object(event);
      else if (event.event !== 'log') view.event(event);
    },
    onLine: view.line,
  }).finally(view.end);
  if (failure !== undefined) output.say(`${label} failed: ${failure.reason}`);
  return failure?.reason;
}

function report(study: FinishedStudy, output: Output): void {
  const { kind, results, missing, file } = study;
  const compared = compareResults(results);
  output.object({
    event: 'study',
    kind,
    file,
    runs: results.map((result) => objectOf(result)),
    pairs: compared?.comparison.pairs.map(({ first, second, ...pair }) => {
      return { first: compared.labels[first], second: compared.labels[second], ...pair };
    }),
    missing,
  });
  const header = ['', 'validation', 'test', '95% interval', 's per epoch', 'MiB'];
  const rows = results.map((result) => {
    const { best, test, secondsPerEpoch, memoryBytes } = numbersOf(result);
    return [
      result.label,
      best?.accuracy.toFixed(4) ?? '',
      test?.accuracy.toFixed(4) ?? '',
      test ? `${test.low.toFixed(4)} to ${test.high.toFixed(4)}` : '',
      secondsPerEpoch?.toFixed(1) ?? '',
      String(Math.round(memoryBytes / 2 ** 20)),
    ];
  });
  for (const line of formatTable(header, rows)) output.print(line);
  output.say(`Wrote ${relative(process.cwd(), file)}`);
}

function objectOf(result: StudyResult): object {
  const { label, run, test, fiveCrops } = result;
  const { validations } = run.curves;
  const columns = ['step', 'epoch', 'trainLoss', 'validLoss', 'validAccuracy', 'validTop5'] as const;
  const curve = Object.fromEntries(columns.map((name) => [name, [...validations.values(name)]]));
  const tests = { testImages: test?.images, fiveCropAccuracy: fiveCrops?.accuracy };
  return { label, folder: run.folder, ...numbersOf(result), ...tests, curve };
}
