import { Command, Option } from 'commander';
import { existsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import process from 'node:process';
import { CancelledError, usageError, UserError, userError } from '../../protocol/errors.ts';
import { plural } from '../../protocol/plural.ts';
import {
  failuresToRetry,
  parseSweepSpace,
  type Sweep,
  sweepFiles,
  type SweepSpace,
  sweepVersion,
  trialCount,
  type TrialEvent,
} from '../../protocol/sweep.ts';
import { type TrialStanding, trialStandings } from '../../protocol/sweepStandings.ts';
import type { GivenConfig } from '../../protocol/trainingConfig.ts';
import { whatMattered } from '../../charts/whatMattered.ts';
import { contradictionIn } from '../../protocol/contradictions.ts';
import { readBoundedJson, settingsLimit } from '../../runs/boundedFile.ts';
import { isLocked } from '../../runs/lock.ts';
import type { EndOfWork } from '../webhook/webhook.ts';
import { checkRunName, runNameOf } from '../../runs/name.ts';
import { isSweep, readSweep, readTrialEvents, requestStop, writeSweep } from '../../runs/sweep.ts';
import { importanceCells, matteredSentence, sweepMarkdown } from '../results/sweepMarkdown.ts';
import type { RunTrainer } from '../submit/target.ts';
import { combinationsOf, type Drawn, drawTrials } from '../sweep/drawTrials.ts';
import { optunaIn, requireOptuna } from '../sweep/optunaCommand.ts';
import { numberOf, type OptionValues, parseTrainingConfig } from './configFlags.ts';
import { interruptedExitCode, withInterrupt } from './interrupt.ts';
import { drawMeantTrials, meantTrial } from './meantTrial.ts';
import { optunaSampler } from './optunaSampler.ts';
import { createOutput, type Output } from './output.ts';
import { ownCommand } from './ownCommand.ts';
import {
  epochsOf,
  type PlannedTrial,
  rungsIn,
  runOfTrial,
  runSweep,
  type SweepPlan,
  type SweepWorkers,
  trialsIn,
} from './runSweep.ts';
import { askEach } from './submitCommand.ts';
import {
  addTargetOptions,
  type ChosenTarget,
  chooseTarget,
  refuseTargetOptions,
  targetOption,
} from './submitTargets.ts';
import { jobsOfSweep, submitTrials, wordsOfJobs } from './submitTrials.ts';
import { type CardWish, parseCardWish, requireCards, trialsAtOnce } from './sweepCards.ts';
import { formatTable } from './table.ts';
import { tellWebhook } from './tellWebhook.ts';
import { trainTrial } from './trainTrial.ts';
import { withAbsolutePaths } from './trainingConfigFrom.ts';
import { webhookFrom, webhookOption } from './webhookOption.ts';

const footer = `
The space is a .fivecrop.json file in which a setting may be a list of choices or a range:
  {
    "network": { "kind": "architecture", "name": "resnet18" },
    "recipe": "quick",
    "hidden": [[], [512]], "batchSize": [16, 32], "learningRate": { "log": [0.0001, 0.01] },
    "dropout": { "range": [0, 0.6] },
    "trials": 12, "sampler": "random", "seed": 3,
    "halving": { "first": 4, "factor": 3 }
  }
Samplers: grid (every combination), random, sobol (spread more evenly than random), and, where its command is installed,
those of Optuna that learn from the trials before: "sampler": { "optuna": "TPESampler" }. With halving, all trials train for
"first" epochs; after these, and each time after "factor" times as many, only the best 1/factor of those that came so far
go on; at least one trains for all epochs. Trials are compared by their best validation accuracy; test the one that you take on images that chose nothing.

With --to slurm the trials are one array, and the command ends. With halving or a sampler of Optuna's, each training is a job,
and the command stays to hand over what comes next: Ctrl-C or its end leaves the jobs to go on, and "sweep resume" takes up
what they did, there or, with --to local, here. "sweep stop" stops them. With --to ssh:HOST it is the same: each training runs on
the host, or on the one of several that has the fewest, and its folder is copied back as it grows.

A trial that failed because the disk was full, its machine was lost or its process was killed is tried again by "sweep resume",
others with --retry-failed; those that diverged or have wrong settings are not.

Examples:
  fivecrop sweep heads.fivecrop.json flowers               trials one after the other, in ./runs
  fivecrop sweep heads.fivecrop.json flowers --parallel 2
  fivecrop sweep heads.fivecrop.json flowers --gpus all    a trial on each NVIDIA card
  fivecrop sweep heads.fivecrop.json flowers --to slurm --time 1:00:00 --parallel 4
  fivecrop sweep heads.fivecrop.json flowers --to ssh:gpu1,gpu2 --parallel 4
  fivecrop sweep status runs/heads                         all trials, best first
  fivecrop sweep stop runs/heads                           finishes the steps, saves, and ends
  fivecrop sweep resume runs/heads                         continues after a stop or a crash`;

/** `fivecrop sweep`: see its help text. */
export function sweepCommand(): Command {
  const parallel = () =>
    new Option(
      '--parallel <n>',
      'trials that train at the same time [1, with --gpus one per card, with --to ssh one per host, with --to slurm all, or 4 where what is next depends on those before]',
    ).argParser((given: string) => {
      const count = numberOf('--parallel', given);
      if (!Number.isInteger(count) || count < 1 || count > 64) throw usageError('--parallel takes 1 to 64 trials.');
      return count;
    });
  const gpus = () =>
    new Option('--gpus <list>', 'train each trial on an NVIDIA card of its own: all, or numbers as in 0,1').argParser(
      parseCardWish,
    );
  const json = ['--json', 'print what happens to the trials as JSON, one object per line'] as const;
  const command = new Command('sweep')
    .enablePositionalOptions()
    .summary('try many settings, and find the best')
    .description(
      'Trains runs whose settings are drawn from a space, ends those early that fall behind, and ranks them.',
    )
    .argument('<space>', 'file of the space')
    .argument('[data]', 'folder of images, as for train; the one in the file without it')
    .option('--out <folder>', 'folder to create the folders of the sweep and of its runs in', 'runs')
    .option('--name <name>', 'name of the sweep’s folder, with which the names of its runs begin [the file’s]')
    .addOption(targetOption('where the trials train: slurm, ssh:HOST, or ssh:HOST,HOST [here]'))
    .addOption(parallel())
    .addOption(gpus())
    .addOption(webhookOption())
    .option(...json)
    .addHelpText('after', footer)
    .action((space: string, data: string | undefined, options: OptionValues, own: Command) =>
      begin(space, data, options, isGiven(own, 'webhook')),
    );
  addTargetOptions(command, true);
  command.addCommand(
    new Command('status')
      .summary('list the trials of a sweep, best first')
      .description(
        'Lists the trials of a sweep with their settings and scores, best first, and which settings mattered.',
      )
      .argument('<sweep>', 'folder of the sweep')
      .addOption(
        new Option('--format <name>', 'how the tables are written').choices(['text', 'markdown']).default('text'),
      )
      .option('--json', 'print one object per trial, one per line, and one of what mattered')
      .action((folder: string, options: OptionValues) =>
        status(resolve(folder), options['format'] === 'markdown', createOutput(options['json'] === true)),
      ),
  );
  command.addCommand(
    new Command('stop')
      .summary('end a sweep that runs; its trials are saved')
      .description('Asks the process of a sweep to finish the steps of its trials, save, and end.')
      .argument('<sweep>', 'folder of the sweep')
      .action((folder: string) => stop(resolve(folder), createOutput(false))),
  );
  const resume = new Command('resume')
    .summary('continue a sweep that was stopped or broken off')
    .description('Continues a sweep: trials that were broken off go on from their last checkpoints.')
    .argument('<sweep>', 'folder of the sweep')
    .addOption(
      targetOption('where the trials train from now on: slurm, ssh:HOST, or local, which is here [where they did]'),
    )
    .addOption(parallel())
    .addOption(gpus())
    .addOption(webhookOption())
    .option('--retry-failed', 'try trials that failed again, except those that diverged or have wrong settings')
    .option(...json)
    .action((folder: string, options: OptionValues, own: Command) =>
      run(resolve(folder), options, createOutput(options['json'] === true), isGiven(own, 'webhook')),
    );
  addTargetOptions(resume, true);
  command.addCommand(resume);
  return command;
}

function isGiven(command: Command, option: string): boolean {
  return command.getOptionValueSource(option) === 'cli';
}

/** Where the trials of a sweep train other than here. */
interface Elsewhere {
  readonly to: string;
  readonly chosen: ChosenTarget;
  /** Whether all are handed over at once. Otherwise the process of the sweep waits for each, and decides what is next. */
  readonly atOnce: boolean;
}

/** What `--to` means for a sweep, or without it `recorded`. Throws a usage error for flags that do nothing there. */
function elsewhereOf(
  plan: Omit<SweepPlan, 'parallel'>,
  options: OptionValues,
  { recorded, isToldHere }: { readonly recorded: string | undefined; readonly isToldHere: boolean },
): Elsewhere | undefined {
  const { to = recorded } = options;
  if (typeof to !== 'string' || to === 'local') {
    refuseTargetOptions(options);
    return undefined;
  }
  const chosen = chooseTarget(to, options);
  const { target, place } = chosen;
  if (options['gpus'] !== undefined)
    throw usageError(
      `--gpus chooses among the cards of this machine, and the trials train on ${to}${to === 'slurm' ? '; say --sbatch-option --gpus=1' : ''}.`,
    );
  const depends = plan.halving !== undefined || plan.sampler !== undefined;
  const atOnce = target.takesSweeps && !depends;
  if (!atOnce && target.openTrainer === undefined) throw usageError(`--to ${to} takes runs, and no sweep.`);
  if (isToldHere && atOnce)
    throw usageError(
      '--webhook tells of a sweep that runs here; the trials of this one are jobs: set FIVECROP_WEBHOOK, which hears of each run.',
    );
  const own = atOnce ? options : { ...options, parallel: undefined };
  target.check({ place, options: own }, atOnce ? trialsIn(plan) : 1);
  return { to, chosen, atOnce };
}

async function begin(
  file: string,
  data: string | undefined,
  options: OptionValues,
  isToldHere: boolean,
): Promise<void> {
  const output = createOutput(options['json'] === true);
  const content = await readBoundedJson(file, settingsLimit);
  const space = spaceOf(file, content);
  if (!('network' in (content as object)))
    throw usageError(`${file} names no network, as "network": { "kind": "architecture", "name": "resnet18" } does.`);
  if (space.dimensions.some(({ setting }) => setting === 'data'))
    throw usageError('data: name one folder, as trials are compared on the same images.');
  const given = data === undefined ? space.fixed['data'] : resolve(data);
  if (typeof given !== 'string')
    throw usageError('Name the folder of images, as in: fivecrop sweep space.json flowers');
  const name = typeof options['name'] === 'string' ? options['name'] : (runNameOf(file) ?? basename(file, '.json'));
  checkRunName(name);
  const folder = join(resolve(String(options['out'])), name);
  if (isSweep(folder)) {
    throw usageError(
      `${folder} holds a sweep: continue it with fivecrop sweep resume, or give this one a name (--name).`,
    );
  }
  if (existsSync(folder) && (await readdir(folder).catch(() => [folder])).length > 0)
    throw usageError(`${folder} is there already: give the sweep another name (--name).`);
  const base = {
    ...(content as Record<string, unknown>),
    data: data === undefined ? resolve(dirname(file), given) : given,
  };
  const sweep: Sweep = {
    version: sweepVersion,
    created: new Date().toISOString(),
    space: withAbsolutePaths(base, dirname(file)),
    ...(typeof space.sampler === 'object'
      ? { trials: [], optuna: { trials: Math.min(space.trials ?? 1, combinationsOf(space)), asked: [] } }
      : { trials: drawMeantTrials(space).map((trial) => withAbsolutePaths(trial, dirname(file))) }),
  };
  if (sweep.optuna) await requireOptuna(optunaIn(process.cwd()));
  // What cannot be tried is said before there is a folder.
  const plan = planOf(folder, sweep);
  const elsewhere = elsewhereOf(plan, options, { recorded: undefined, isToldHere });
  if (!elsewhere) await placesOf(space, options);
  checkRunName(runOfTrial(plan, 1));
  const taken = Array.from({ length: trialsIn(plan) }, (_, place) => runOfTrial(plan, place + 1)).find((run) =>
    existsSync(join(dirname(folder), run)),
  );
  if (taken !== undefined)
    throw usageError(`There is a run named ${taken} already: give the sweep another name (--name).`);
  await mkdir(folder, { recursive: true });
  await writeSweep(folder, elsewhere ? { ...sweep, to: elsewhere.to } : sweep);
  const { trials } = space;
  if (trials !== undefined && trialCount(sweep) < trials)
    output.say(
      `The space has ${plural(trialCount(sweep), 'different combination')}, so there are no more trials than that.`,
    );
  await run(folder, options, output, isToldHere);
}

function spaceOf(file: string, content: unknown): SweepSpace {
  try {
    return parseSweepSpace(content);
  } catch (error) {
    if (error instanceof UserError) throw usageError(`${file}: ${error.message}`);
    throw error;
  }
}

/** Throws a usage error where no trial can be trained, or trials that are compared after epochs have not equally many. */
function planOf(folder: string, sweep: Sweep): Omit<SweepPlan, 'parallel'> {
  const space = parseSweepSpace(sweep.space);
  const { fixed, halving, sampler } = space;
  const learns = typeof sampler === 'object';
  // What was drawn here is kept as it is meant; what Optuna keeps is what it chose.
  const plannedOf = (drawn: Drawn): PlannedTrial =>
    checked({ ...fixed, ...(learns ? meantTrial(fixed, drawn) : drawn) });
  // What Optuna will choose is not known: trials from all over the space stand for it.
  const trials = learns ? drawTrials({ ...space, sampler: 'random', trials: standIns }) : sweep.trials;
  const planned = trials.map(plannedOf);
  const configs = planned.filter((trial): trial is GivenConfig => !('problem' in trial));
  const [first] = planned;
  if (configs.length === 0 && first && 'problem' in first) throw usageError(first.problem);
  if (halving && new Set(configs.map(({ epochs }) => epochs)).size > 1)
    throw usageError(
      'halving: it compares trials after epochs, so all trials need the same number of them ("epochs").',
    );
  const plan = { folder, name: basename(folder), ...(halving ? { halving } : {}) };
  if (!learns) return { ...plan, trials: planned };
  const epochs = Math.max(...configs.map((config) => config.epochs));
  const asked = { ...space, folder, sweep, sampler, epochs, planned: plannedOf };
  return { ...plan, trials: [], sampler: optunaSampler(asked, optunaIn(folder)) };
}

/** Trials that are looked at before Optuna chooses some. */
const standIns = 32;

function checked(settings: Readonly<Record<string, unknown>>): PlannedTrial {
  try {
    const config = parseTrainingConfig(settings);
    const problem = contradictionIn(config);
    return problem === undefined ? config : { problem };
  } catch (error) {
    if (error instanceof UserError) return { problem: error.message };
    throw error;
  }
}

/** Where trials train: so many at a time, and on which cards. Throws a usage or user error. */
async function placesOf(
  { fixed, dimensions }: SweepSpace,
  { gpus, parallel }: OptionValues,
): Promise<Pick<SweepPlan, 'parallel' | 'cards'>> {
  const wish = gpus as CardWish | undefined;
  const chosen = dimensions.find(({ setting }) => setting === 'device');
  const devices = chosen && 'values' in chosen ? chosen.values : [fixed['device'] ?? 'auto'];
  if (wish !== undefined && !devices.every((device) => ['auto', 'gpu', 'cuda'].includes(String(device))))
    throw usageError(
      `--gpus trains trials on NVIDIA cards, and the space says "device": ${JSON.stringify(chosen ? devices : devices[0])}.`,
    );
  const cards = wish === undefined ? undefined : await requireCards(wish);
  const given = typeof parallel === 'number' ? parallel : undefined;
  return { parallel: trialsAtOnce(given, cards), ...(cards ? { cards } : {}) };
}

async function run(folder: string, options: OptionValues, output: Output, isToldHere: boolean): Promise<void> {
  const recorded = await readSweep(folder);
  const elsewhere = elsewhereOf(planOf(folder, recorded), options, { recorded: recorded.to, isToldHere });
  const sweep = await withPlace(folder, recorded, elsewhere?.to);
  const planned = { ...planOf(folder, sweep), retriesFailed: options['retryFailed'] === true };
  if (elsewhere?.atOnce) return submitTrials(planned, elsewhere.chosen, options, output);
  const { webhook } = webhookFrom(options);
  const trainer = elsewhere && (await openTrainer(elsewhere, folder, options, output));
  const { parallel } = options;
  const places = trainer
    ? { parallel: typeof parallel === 'number' ? parallel : trainer.places }
    : await placesOf(parseSweepSpace(sweep.space), options);
  const plan = { ...planned, ...places };
  const train: SweepWorkers['train'] =
    trainer?.train ?? ((training, signal, card) => trainTrial(training, { say: output.say, signal }, card));
  const settingsOf = (trial: number) =>
    lineOfSettings((plan.sampler ? plan.sampler.drawn(trial) : sweep.trials[trial - 1]) ?? {});
  const heard = (event: TrialEvent) => {
    output.object(event);
    if (output.json) return;
    const trial = `Trial ${event.trial} of ${trialsIn(plan)}`;
    if (event.event === 'begun') output.say(`${trial}: ${settingsOf(event.trial)}; to epoch ${epochsOf(plan, event)}`);
    else if (event.event === 'failed') output.say(`${trial} failed: ${event.reason}`);
    else output.say(`${trial}: ${event.accuracy.toFixed(4)} after ${plural(event.epochs, 'epoch')}`);
  };
  const continues = `fivecrop sweep resume ${folder} continues`;
  const stopping = () =>
    output.say(
      elsewhere
        ? `The jobs that were submitted go on; ${continues}. fivecrop sweep stop stops them.`
        : `Finishing the steps and saving; ${continues}. Ctrl-C again quits at once.`,
    );
  const standingsNow = async () =>
    trialStandings(await readSweep(folder), await readTrialEvents(folder), rungsIn(plan));
  const work = async () => {
    try {
      await withInterrupt(stopping, (signal) => runSweep(plan, { signal, say: output.say, heard, train }));
      await trainer?.finish();
    } finally {
      await trainer?.close();
    }
    return standingsNow();
  };
  const reported = async () => {
    const standings = await work().catch(async (error: unknown) => {
      if (error instanceof CancelledError) {
        output.say(`Stopped; ${continues}.`);
        report(await standingsNow(), output);
      }
      throw error;
    });
    report(standings, output);
    sayWhatFailed(folder, await readTrialEvents(folder), output);
    return standings;
  };
  // All is written and said before a server is waited for.
  const standings = await tellWebhook(
    webhook,
    { kind: 'sweep', name: plan.name },
    reported,
    endOfSweep,
    output.say,
  ).catch((error: unknown) => {
    if (!(error instanceof CancelledError)) throw error;
    process.exitCode = interruptedExitCode;
    return [];
  });
  if (allFailed(standings)) throw userError(noneTrained);
}

/** The sweep, whose record says where it trains from now on. */
async function withPlace(folder: string, sweep: Sweep, to: string | undefined): Promise<Sweep> {
  if (sweep.to === to) return sweep;
  if (isLocked(join(folder, sweepFiles.lock))) throw userError(`Another process runs the sweep ${basename(folder)}: wait for it, or stop it.`); // prettier-ignore
  const moved = { ...sweep, to };
  await writeSweep(folder, moved);
  return moved;
}

/** Opens what trains the trials elsewhere. Throws a user error where it cannot be used. */
async function openTrainer(
  { to, chosen: { target, place } }: Elsewhere,
  folder: string,
  options: OptionValues,
  { say }: Output,
): Promise<RunTrainer> {
  const trainer = await withInterrupt(
    () => say('Nothing is trained.'),
    (signal) =>
      target.openTrainer?.(place, { say, signal, shared: folder, options, command: ownCommand() }) ??
      Promise.reject(usageError(`--to ${to} takes runs, and no sweep.`)),
  );
  return trainer;
}

/** Says how trials that failed can be tried again. */
function sayWhatFailed(folder: string, events: readonly TrialEvent[], output: Output): void {
  const [passing, all] = [failuresToRetry(events, false).length, failuresToRetry(events, true).length];
  if (passing > 0)
    output.say(`${plural(passing, 'trial')} failed in passing; fivecrop sweep resume ${folder} tries again.`);
  if (all > passing)
    output.say(
      `${plural(all - passing, 'trial')} failed; fivecrop sweep resume ${folder} --retry-failed tries again, once the cause is gone.`,
    );
}

const noneTrained = 'No trial of the sweep could be trained.';

function allFailed(standings: readonly TrialStanding[]): boolean {
  return standings.length > 0 && standings.every(({ state }) => state === 'failed');
}

/** How a sweep ended whose trials stand so, best first. */
function endOfSweep(standings: readonly TrialStanding[]): Omit<EndOfWork, 'kind' | 'name'> {
  const [{ run, accuracy, loss } = {}] = standings;
  const failed = standings.filter(({ state }) => state === 'failed').length;
  const isFailed = allFailed(standings);
  return {
    state: isFailed ? 'failed' : 'finished',
    reason: isFailed ? noneTrained : 'All trials have ended.',
    ...(run !== undefined && accuracy !== undefined && loss !== undefined
      ? { best: { run, accuracy, loss, of: 'validation' } }
      : {}),
    runs: { finished: standings.length - failed, failed },
  };
}

async function status(folder: string, asMarkdown: boolean, output: Output): Promise<void> {
  const sweep = await readSweep(folder);
  const plan = planOf(folder, sweep);
  const standings = trialStandings(sweep, await readTrialEvents(folder), rungsIn(plan));
  const mattered = whatMattered(standings, parseSweepSpace(sweep.space).dimensions);
  if (asMarkdown && !output.json) {
    for (const line of sweepMarkdown(plan.name, standings, mattered).split('\n')) output.print(line);
    return;
  }
  report(standings, output, await wordsOfJobs(folder, standings));
  sayWhatFailed(folder, await readTrialEvents(folder), output);
  output.object({ event: 'mattered', ...mattered });
  const settings = mattered.kind === 'found' ? mattered.settings : [];
  if (settings.length > 0) output.print('');
  for (const line of formatTable(['setting', 'mattered'], settings.map(importanceCells)).slice(
    settings.length > 0 ? 0 : 1,
  ))
    output.print(line);
  output.say(matteredSentence(mattered));
}

async function stop(folder: string, output: Output): Promise<void> {
  const { space, to } = await readSweep(folder);
  const { halving, sampler } = parseSweepSpace(space);
  const isOfProcess = to !== undefined && !chooseTarget(to, {}).target.takesSweeps;
  const isAtWork = isLocked(join(folder, sweepFiles.lock));
  // A process that chooses what comes next stops its jobs itself. Other jobs have the lock for a moment each.
  const asksProcess = isAtWork && (isOfProcess || halving !== undefined || typeof sampler === 'object');
  const jobs = asksProcess ? [] : await jobsOfSweep(folder);
  if (jobs.length > 0) return stopEach(jobs, output);
  if (!isAtWork) throw userError(`No process runs the sweep ${folder}.`);
  await requestStop(folder);
  output.say('The sweep finishes the steps of its trials, saves, and ends.');
}

/** Stops what trains the trials; one that has ended meanwhile keeps no other from it. */
async function stopEach(runs: readonly string[], output: Output): Promise<void> {
  for (const run of runs)
    await askEach([run], 'stop', output).catch((error: unknown) => {
      if (!(error instanceof UserError)) throw error;
      output.say(error.message);
    });
}

function report(
  standings: readonly TrialStanding[],
  output: Output,
  words: ReadonlyMap<number, string> = new Map(),
): void {
  for (const standing of standings) output.object({ event: 'standing', ...standing });
  const header = ['trial', 'accuracy', 'epochs', 'state', 'run', 'settings'];
  const rows = standings.map(({ trial, accuracy, epochs, state, run, settings, reason }) => [
    String(trial),
    accuracy?.toFixed(4) ?? '',
    epochs === undefined ? '' : String(epochs),
    words.get(trial) ?? state,
    run ?? '',
    reason ?? lineOfSettings(settings),
  ]);
  for (const line of formatTable(header, rows)) output.print(line);
}

/** `learningRate 0.0012, hidden [512]` */
function lineOfSettings(settings: Readonly<Record<string, unknown>>): string {
  return Object.entries(settings)
    .map(([setting, value]) => `${setting} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
}
