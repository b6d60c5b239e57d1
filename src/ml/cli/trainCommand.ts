import { Command, Option } from 'commander';
import { basename, dirname, resolve } from 'node:path';
import process from 'node:process';
import { usageError } from '../../protocol/errors.ts';
import type { GivenConfig } from '../../protocol/trainingConfig.ts';
import { hasRecord, readStoredRun, runOf } from '../../runs/list.ts';
import { defaultRunName, runNameOf } from '../../runs/name.ts';
import { chooseTrainingEngine } from '../engine/chooseTrainingEngine.ts';
import { resumeRequest } from '../training/run/resumeFrom.ts';
import { nameOf } from '../training/run/assembleRun.ts';
import { trainRun, type TrainRunResult } from '../training/run/trainRun.ts';
import { numberOf, type OptionValues } from './configFlags.ts';
import { interruptedExitCode, withInterrupt } from './interrupt.ts';
import { createOutput, type Output } from './output.ts';
import { profileLines } from './profileLines.ts';
import { createTrainingView } from './trainingView.ts';
import { seedLine, type SeedSummary, summariseSeeds } from './seedRuns.ts';
import { addTrainingOptions } from './trainingFlags.ts';
import { trainingConfigFrom } from './trainingConfigFrom.ts';
import { webhookFrom, webhookOption } from './webhookOption.ts';

const examples = `
Examples:
  fivecrop train flowers                                   DenseNet-169, its head only, 5 epochs
  fivecrop train flowers --arch resnet18 --method full --lr 0.0001 --schedule cosine
  fivecrop train flowers --arch ConvNet2 --method scratch
  fivecrop train flowers --backbone mobilenet_v2_1.0_224.onnx --preprocess tf
  fivecrop train --config flowers.fivecrop.json
  fivecrop train --resume runs/NAME --epochs 10
  fivecrop train flowers --recipe strong --seeds 3         three runs, with mean and deviation

The names that the report's script used work too: --learning_rate, --hidden_units, --no_of_trainable, --pretrained,
--no-pretrained, --category_names, --save_dir, --gpu.
Ctrl-C finishes the step, unless it takes more than a second, saves, and says how to continue; another quits at once.`;

/** `fivecrop train`: see its help text. */
export function trainCommand(): Command {
  const command = new Command('train')
    .summary('train a classifier on a folder of images')
    .description('Trains a classifier on a folder of images and writes a run: its record, curves and checkpoints.')
    .argument('[data]', 'folder of images: train/valid/test/<class>, or <class> alone, which is then split')
    .addHelpText('after', examples);
  addTrainingOptions(command);
  return command
    .option(
      '--resume <checkpoint or run>',
      'continue a run in its folder, or start from any checkpoint in a new one, with its settings; flags override them',
    )
    .option('--unless-finished', 'with --resume: do nothing if the run has finished')
    .option(
      '--out <folder>',
      'folder to create the run’s folder in [runs; for --resume, the resumed run’s parent folder]',
    )
    .option('--name <name>', 'name of the run and of its folder [that of the --config file, else <network>-<method>]')
    .addOption(
      new Option('--save-dir <folder>', 'the run’s folder, --out and --name in one').conflicts(['out', 'name']),
    )
    .addOption(untilEpochOption())
    .option(
      '--features-folder <folder>',
      'keep what frozen layers make of the images in a folder, for other runs that freeze the same layers',
    )
    .addOption(profileOption())
    .addOption(seedsOption())
    .addOption(webhookOption())
    .option('--json', 'print events as JSON, one per line')
    .action((data: string | undefined, options: OptionValues) => train(data, options));
}

async function train(data: string | undefined, options: OptionValues): Promise<void> {
  const output = createOutput(options['json'] === true);
  if (options['unlessFinished'] === true && (await isFinished(options['resume']))) {
    output.say(`${String(options['resume'])} has finished.`);
    return;
  }
  const config = await trainingConfigFrom(data, options);
  if (typeof options['seeds'] === 'number') return trainSeeds(config, options['seeds'], options, output);
  await trainOnce(config, options, output);
}

/** Whether `--resume` names a run that has finished. Throws a usage error where it names no run. */
async function isFinished(resume: unknown): Promise<boolean> {
  const folder = typeof resume === 'string' ? resolve(resume) : undefined;
  if (folder === undefined || !(await hasRecord(folder)))
    throw usageError('--unless-finished goes with --resume and the folder of a run.');
  return (await readStoredRun(folder)).state === 'finished';
}

/** Trains once for each of so many seeds, and says how far the results lie apart. */
async function trainSeeds(config: GivenConfig, count: number, options: OptionValues, output: Output): Promise<void> {
  if (typeof options['resume'] === 'string' || typeof options['saveDir'] === 'string') {
    throw usageError('--seeds trains several new runs: leave out --resume and --save-dir.');
  }
  const { name = nameFromSettings(options) ?? defaultRunName(nameOf(config), config.method) } = options;
  const runs: SeedSummary['seeds'][number][] = [];
  for (let seed = config.seed; seed < config.seed + count; seed++) {
    const named = { ...options, name: `${String(name)}-seed-${seed}` };
    const { done, name: run } = await trainOnce({ ...config, seed }, named, output);
    if (done.state !== 'finished') return;
    runs.push({ seed, run, bestAccuracy: done.bestAccuracy ?? 0 });
  }
  const summary = summariseSeeds(runs);
  output.object({ event: 'seeds', ...summary });
  output.say(seedLine(summary));
}

async function trainOnce(config: GivenConfig, options: OptionValues, output: Output): Promise<TrainRunResult> {
  const view = createTrainingView(output);
  const stopping = () => view.line('Finishing the step and saving; Ctrl-C again quits at once.');
  const { interrupted, ...result } = await withInterrupt(stopping, async (signal) => {
    const made = await run(config, options, view, signal);
    return { ...made, interrupted: signal.aborted };
  }).finally(view.end);
  view.summarise(result.folder, result.done);
  if (result.profile) for (const line of profileLines(result.profile)) output.say(line);
  // Stopped by Ctrl-C: what there is to say has been said, and the shell is to know.
  if (interrupted && result.done.state === 'stopped') process.exitCode = interruptedExitCode;
  return result;
}

async function run(
  config: GivenConfig,
  options: OptionValues,
  view: ReturnType<typeof createTrainingView>,
  signal: AbortSignal,
) {
  return trainRun(config, {
    ...(await folderOf(options)),
    ...webhookFrom(options),
    ...(typeof options['resume'] === 'string' ? { resume: resolve(options['resume']) } : {}),
    chooseEngine: chooseTrainingEngine,
    signal,
    ...(typeof options['untilEpoch'] === 'number' ? { untilEpoch: options['untilEpoch'] } : {}),
    ...(typeof options['featuresFolder'] === 'string' ? { featuresFolder: resolve(options['featuresFolder']) } : {}),
    ...(typeof options['profile'] === 'number' ? { profileSteps: options['profile'] } : {}),
    onEvent: view.event,
    onProgress: view.preparation,
  });
}

/** Steps that `--profile` alone watches: enough for a mean, few enough for a small trace. */
const profiledSteps = 10;

function profileOption(): Option {
  const text = `profile this many steps: write the times to the run’s profile.json and print them at the end [${profiledSteps}]`;
  return new Option('--profile [steps]', text).preset(profiledSteps).argParser((given: string | number) => {
    const steps = numberOf('--profile', String(given));
    if (!Number.isInteger(steps) || steps < 1 || steps > 100) throw usageError('--profile takes 1 to 100 steps.');
    return steps;
  });
}

function untilEpochOption(): Option {
  const text = 'stop after this many epochs, with the schedule of all --epochs; --resume continues';
  return new Option('--until-epoch <n>', text).conflicts('seeds').argParser((given: string) => {
    const epochs = numberOf('--until-epoch', given);
    if (!Number.isInteger(epochs) || epochs < 1) throw usageError('--until-epoch takes a whole number from 1 on.');
    return epochs;
  });
}

function seedsOption(): Option {
  const text = 'train this many runs, with seeds from --seed on, and print the mean and deviation of their accuracy';
  return new Option('--seeds <n>', text).argParser((given: string) => {
    const seeds = numberOf('--seeds', given);
    if (!Number.isInteger(seeds) || seeds < 2 || seeds > 100) throw usageError('--seeds takes 2 to 100 seeds.');
    return seeds;
  });
}

/** Where the run's folder goes: `--out` and `--name`, or the report's `--save_dir`, which is both in one. */
async function folderOf(options: OptionValues): Promise<{ out: string; name?: string }> {
  const { name, saveDir } = options;
  if (typeof saveDir === 'string') return { out: dirname(resolve(saveDir)), name: basename(resolve(saveDir)) };
  if (typeof name === 'string' && (name === '' || name !== basename(name))) {
    throw usageError(
      `--name ${name}: a run’s name is the name of a folder, without slashes; choose its place with --out.`,
    );
  }
  const wanted = typeof name === 'string' ? name : nameFromSettings(options);
  return { out: await parentOf(options), ...(wanted === undefined ? {} : { name: wanted }) };
}

/** A new run with the settings of a file is named for it. */
function nameFromSettings({ config, resume }: OptionValues): string | undefined {
  return typeof config === 'string' && resume === undefined ? runNameOf(config) : undefined;
}

/** Runs that begin with a checkpoint of another run go beside it. */
async function parentOf({ out, name, resume }: OptionValues): Promise<string> {
  if (typeof resume !== 'string') return resolve(typeof out === 'string' ? out : 'runs');
  const run = await runOf(resume);
  if (typeof out !== 'string') return run === undefined ? resolve('runs') : dirname(run);
  if (name === undefined && (await resumeRequest(resume, false)).inPlace !== undefined) {
    throw usageError(`${resume} continues in its own folder: leave out --out, or name a new run with --name too.`);
  }
  return resolve(out);
}
