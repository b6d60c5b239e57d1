import { Command, Option } from 'commander';
import { basename, posix } from 'node:path';
import process from 'node:process';
import { stringify } from 'yaml';
import packageJson from '../../../package.json' with { type: 'json' };
import { contradictionIn } from '../../protocol/contradictions.ts';
import { usageError, UserError } from '../../protocol/errors.ts';
import { withRecipe } from '../../protocol/recipes.ts';
import { parseSweepSpace } from '../../protocol/sweep.ts';
import { givenConfigSchema } from '../../protocol/trainingConfig.ts';
import { readBoundedJson, settingsLimit } from '../../runs/boundedFile.ts';
import { checkRunName, runNameOf } from '../../runs/name.ts';
import { containerfile } from '../kubernetes/containerfile.ts';
import { indexedJob, type JobWish, mostSettings, volume } from '../kubernetes/indexedJob.ts';
import { numberOf, type OptionValues, parseTrainingConfig } from './configFlags.ts';
import { drawMeantTrials } from './meantTrial.ts';
import { withAbsolutePaths } from './trainingConfigFrom.ts';

const footer = `
Paths of the settings are paths in the volume: "data": "flowers" is the folder flowers at its root. Runs go to its folder
runs, weights and decoded images to cache. A pod that takes the place of another one goes on with its run. Settings with
choices are those of a sweep by grid, random or sobol: each index trains one of the trials, to its end.

Examples:
  fivecrop job --kubernetes flowers.fivecrop.json --pvc images > job.yaml
  fivecrop job --kubernetes flowers.fivecrop.json --pvc images --seeds 5 --gpus 1 | kubectl apply -f -
  fivecrop job --containerfile > Containerfile             what its image is built from

Tried against the schema of Kubernetes 1.34, not on a cluster.`;

/** `fivecrop job`: see its help text. */
export function jobCommand(): Command {
  return new Command('job')
    .summary('print a job for Kubernetes that trains')
    .description(
      'Prints an Indexed Job of Kubernetes that trains a run, or one per seed or trial, or what its image is.',
    )
    .addOption(
      new Option('--kubernetes <config>', 'a .fivecrop.json file: print the job that trains it').conflicts(
        'containerfile',
      ),
    )
    .option('--containerfile', 'print what the image is built from; with --gpus 1 that for NVIDIA cards')
    .option('--image <image>', 'image of the pods', `fivecrop:${packageJson.version}`)
    .option('--pvc <claim>', 'claim of the volume with the images, which gets the runs', 'fivecrop')
    .option('--data <folder>', 'folder of images in the volume [that of the file]')
    .option('--name <name>', 'name of the job and its runs [the file’s]')
    .addOption(wholeOption('--seeds <n>', 'one run per seed, from the file’s on', 1, 1000))
    .addOption(wholeOption('--parallel <n>', 'pods at the same time [all]', 1, 100_000))
    .addOption(wholeOption('--cpus <n>', 'cores of a pod', 1, 1024).default(4))
    .addOption(wholeOption('--memory <gib>', 'memory of a pod in GiB', 1, 65_536).default(8))
    .addOption(wholeOption('--gpus <n>', 'NVIDIA cards of a pod: a run trains on one', 0, 1).default(0))
    .option('--kueue <queue>', 'name of a queue of Kueue’s that the job waits in')
    .addHelpText('after', footer)
    .action((options: OptionValues) => job(options));
}

function wholeOption(flags: string, text: string, least: number, most: number): Option {
  const [flag = ''] = flags.split(' ');
  return new Option(flags, text).argParser((given: string) => {
    const value = numberOf(flag, given);
    if (!Number.isInteger(value) || value < least || value > most)
      throw usageError(`${flag} takes a whole number from ${least} to ${most}.`);
    return value;
  });
}

async function job(options: OptionValues): Promise<void> {
  const { kubernetes: file, gpus } = options;
  if (options['containerfile'] === true) {
    process.stdout.write(containerfile(packageJson.version, gpus === 1));
    return;
  }
  if (typeof file !== 'string')
    throw usageError('Name the settings, as in: fivecrop job --kubernetes flowers.fivecrop.json --pvc images');
  process.stdout.write(await kubernetesJob(file, options));
}

/** The YAML of a job that trains the settings in a file. Throws a usage or user error. */
export async function kubernetesJob(file: string, options: OptionValues): Promise<string> {
  const objects = indexedJob(await wishFrom(file, options));
  // kubectl reads YAML 1.1, in which a bare on, no or y is a Boolean.
  const readable = { lineWidth: 0, aliasDuplicateObjects: false, compat: 'yaml-1.1' } as const;
  return objects.map((object) => stringify(object, readable)).join('---\n');
}

async function wishFrom(file: string, options: OptionValues): Promise<JobWish> {
  const { name: wanted, parallel, gpus } = options;
  const name = typeof wanted === 'string' ? wanted : (runNameOf(file) ?? basename(file, '.json'));
  checkRunName(name);
  if (/["$`\\]/u.test(name)) throw usageError(`"${name}" has characters that a shell obeys: give another --name.`);
  const settings = await settingsOf(file, options);
  const bytes = Buffer.byteLength(JSON.stringify(settings, undefined, 2));
  if (bytes > mostSettings)
    throw usageError(
      `The settings of ${settings.length} runs are more than the megabyte that Kubernetes takes: make them fewer.`,
    );
  return {
    ...{ name, settings, image: textOf(options, 'image'), claim: textOf(options, 'pvc') },
    parallel: typeof parallel === 'number' ? parallel : settings.length,
    ...{ cpus: Number(options['cpus']), memory: Number(options['memory']), gpus: gpus === 1 ? 1 : 0 },
    ...(typeof options['kueue'] === 'string' ? { queue: options['kueue'] } : {}),
  };
}

function textOf(options: OptionValues, name: string): string {
  const value = String(options[name]).trim();
  if (value === '') throw usageError(`--${name} is empty.`);
  return value;
}

/** The settings of the runs of a job, checked, their paths in the volume. */
async function settingsOf(file: string, options: OptionValues): Promise<readonly object[]> {
  const content = await readBoundedJson(file, settingsLimit);
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw usageError(`${file} is not a settings file: name a .fivecrop.json file.`);
  const { data, seeds, gpus } = options;
  const given: Readonly<Record<string, unknown>> = { ...content, ...(typeof data === 'string' ? { data } : {}) };
  if (given['data'] === undefined) throw usageError('Name the folder of images in the volume: --data flowers.');
  const isOne = givenConfigSchema.safeParse(withRecipe(given)).success;
  const all = isOne ? seedsOf(given, Number(seeds ?? 1)) : trialsOf(file, given, seeds !== undefined);
  return all.map((each) => {
    const settings = withAbsolutePaths(
      { ...each, ...(gpus === 1 ? { device: deviceOn(each['device']) } : {}) },
      volume,
      (...parts) => posix.resolve(...parts),
    );
    requireInVolume(settings);
    const config = parseTrainingConfig(settings, file);
    const problem = contradictionIn(config);
    if (problem !== undefined) throw usageError(`${file}: ${problem}`);
    return settings;
  });
}

function deviceOn(device: unknown): string {
  if (['auto', 'gpu', 'cuda', undefined].includes(device as string | undefined)) return 'cuda';
  throw usageError(`--gpus 1 trains on an NVIDIA card, and the settings say "device": ${JSON.stringify(device)}.`);
}

type Settings = Readonly<Record<string, unknown>>;

function seedsOf(settings: Settings, count: number): Settings[] {
  const first = typeof settings['seed'] === 'number' ? settings['seed'] : 0;
  return Array.from({ length: count }, (_, index) => (count === 1 ? settings : { ...settings, seed: first + index }));
}

function trialsOf(file: string, settings: Settings, withSeeds: boolean): Settings[] {
  try {
    const space = parseSweepSpace(settings);
    if (withSeeds) throw usageError('these are the settings of a sweep: leave out --seeds.');
    if (typeof space.sampler === 'object')
      throw usageError(
        'the pods train trials beside each other, and Optuna chooses one by those before: use the sampler random or sobol.',
      );
    if (space.halving) throw usageError('the pods train each trial to its end: leave out "halving".');
    return drawMeantTrials(space).map((trial) => ({ ...space.fixed, ...trial }));
  } catch (error) {
    if (error instanceof UserError) throw usageError(`${file}: ${error.message}`);
    throw error;
  }
}

/** Throws a usage error for a path of this machine, which the pods do not have. */
function requireInVolume({ data, classNames, network }: Settings): void {
  const paths: Settings = typeof network === 'object' && network !== null ? { ...network } : {};
  for (const path of [data, classNames, paths['file'], paths['weights']])
    if (
      typeof path === 'string' &&
      (/\\|^\/volume\/[a-z]:/iu.test(path) || (posix.isAbsolute(path) && !path.startsWith(`${volume}/`)))
    )
      throw usageError(`${path} is not in the volume: give its path from the volume’s root on, with slashes.`);
}
