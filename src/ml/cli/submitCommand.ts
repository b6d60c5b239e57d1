import { Command, Option } from 'commander';
import { resolve } from 'node:path';
import { usageError, UserError, userError } from '../../protocol/errors.ts';
import type { RunControlAction } from '../../protocol/runControl.ts';
import { requestControl } from '../../runs/control.ts';
import { hasRecord, listRuns, readStoredRun, type StoredRun } from '../../runs/list.ts';
import { checkRunName, defaultRunName, runNameOf } from '../../runs/name.ts';
import { type DerivedRunState, isLive, stateWithPlace } from '../../runs/state.ts';
import { writeStopped } from '../submit/queueRuns.ts';
import { usualSignal } from '../submit/slurmTarget.ts';
import type { Explanation, WantedRun } from '../submit/target.ts';
import { nameOf } from '../training/run/assembleRun.ts';
import { cleanPlace } from './cleanPlace.ts';
import type { OptionValues } from './configFlags.ts';
import { followRuns } from './followRuns.ts';
import { createOutput, type Output } from './output.ts';
import {
  addTargetOptions,
  chooseTarget,
  countOption,
  explained,
  handOver,
  targetOf,
  targetOption,
  targets,
} from './submitTargets.ts';
import { formatTable } from './table.ts';
import { addTrainingOptions } from './trainingFlags.ts';
import { trainingConfigFrom } from './trainingConfigFrom.ts';
import { jobWebhookFrom, jobWebhookOption } from './webhookOption.ts';
import { type JobOfSweep, requeueExitCode, work } from './work.ts';

const footer = `
Runs are handed to a scheduler, or to another host, that trains them. Settings and data are checked before. The folder of
each run is there at once, with its job in job.json; "fivecrop runs" and the editor show what becomes of it.

Slurm: its machines must see the folders of the runs, of the images and of Fivecrop under the same paths.
Every run is a batch job, several are one array. ${usualSignal} seconds before the time limit (--signal) the run saves, and the job
goes back into the queue with exit code ${requeueExitCode} and later continues in the folder of the run, as often as it takes. A run
that did not take a step in its time is stopped.

SSH: the host is a name of ~/.ssh/config, or user@host, that "ssh HOST" reaches without a password. It needs rsync and the
platform of this machine. Node.js, the command, images and weights are brought to ~/.cache/fivecrop/remote there as far as they
changed. Runs train without a connection; "submit follow" and "submit status" copy their folders back.

Examples:
  fivecrop submit flowers.fivecrop.json --to slurm --time 4:00:00 --gpus 1 --partition gpu
  fivecrop submit *.fivecrop.json --to slurm --parallel 2  one array, two runs at a time
  fivecrop submit flowers --arch resnet18 --seeds 3 --to slurm --sbatch-option --account=vision
  fivecrop submit flowers.fivecrop.json --to slurm --webhook https://example.org/hook
  fivecrop submit flowers.fivecrop.json --to ssh:gpu1 --follow
  fivecrop submit status                                   the submitted runs in ./runs, and what is known of them
  fivecrop submit follow runs/NAME                         shows a run until it has ended; Ctrl-C ends that alone
  fivecrop submit stop runs/NAME                           finishes the step and saves, or leaves the queue
  fivecrop submit pause runs/NAME
  fivecrop submit clean --to ssh:gpu1                      what was brought there and is not needed; --yes removes it
  fivecrop submit resume runs/NAME --time 8:00:00          continues a paused run; submits a lost or stopped one again`;

/** `fivecrop submit`: see its help text. */
export function submitCommand(): Command {
  const command = new Command('submit')
    .enablePositionalOptions()
    .summary('train runs on other machines, by Slurm or over SSH')
    .description('Hands runs to Slurm or to another host, and asks about, follows, stops, pauses and resumes them.')
    .argument('<what...>', 'files of settings (.fivecrop.json) or folders of images; one run each')
    .addHelpText('after', footer)
    .addOption(targetOption());
  addTargetOptions(command);
  command
    .addOption(jobWebhookOption())
    .option('--out <folder>', 'folder to create the runs’ folders in', 'runs')
    .option('--name <name>', 'name of the run and of its folder [that of its file, else <network>-<method>]')
    .addOption(countOption('--seeds <n>', 'train this many runs, with seeds from --seed on', 2, 100))
    .addOption(followOption())
    .option('--json', 'print one object per run, one per line: its folder and its job');
  addTrainingOptions(command);
  command.action((what: string[], options: OptionValues) => submit(what, options));
  command.addCommand(statusCommand());
  command.addCommand(followCommand());
  command.addCommand(askCommand('stop', 'stop a run, wherever it trains'));
  command.addCommand(askCommand('pause', 'pause a run, wherever it trains'));
  command.addCommand(cleanCommand());
  command.addCommand(resumeCommand());
  command.addCommand(workCommand(), { hidden: true });
  return command;
}

function statusCommand(): Command {
  return new Command('status')
    .summary('list submitted runs, and what the scheduler says of them')
    .description('Lists submitted runs. The scheduler is asked about those that wait or were lost.')
    .argument('[folder]', 'a run, or the folder that holds the runs', 'runs')
    .option('--json', 'print one object per run, one per line')
    .action((folder: string, options: OptionValues) => status(resolve(folder), createOutput(options['json'] === true)));
}

function followCommand(): Command {
  return new Command('follow')
    .summary('show submitted runs until they have ended')
    .description(
      'Shows submitted runs as train shows its own, and copies their folders back where they are on another disk. Ctrl-C ends that alone.',
    )
    .argument('<run...>', 'folders of runs')
    .option('--json', 'print events as JSON, one per line')
    .action((folders: string[], options: OptionValues) =>
      followRuns(
        folders.map((folder) => resolve(folder)),
        createOutput(options['json'] === true),
      ),
    );
}

function askCommand(action: 'stop' | 'pause', summary: string): Command {
  return new Command(action)
    .summary(summary)
    .description('Asks through the folder of the run: it answers after its step. A job that waits leaves the queue.')
    .argument('<run...>', 'folders of runs')
    .action((folders: string[]) => askEach(folders, action, createOutput(false)));
}

function cleanCommand(): Command {
  return new Command('clean')
    .summary('list what lies on a host of what was brought there, and remove it')
    .description(
      'Lists what was brought to a host and made there. With --yes, what nothing needs is removed: runs that have ended and were copied back, the images of no run that trains, earlier versions of the command. What a run that trains needs stays.',
    )
    .addOption(targetOption())
    .option('--uncopied', 'also runs that have ended and were not copied back')
    .option('--yes', 'remove what is listed as not needed')
    .option('--json', 'print one object per thing, one per line')
    .action((options: OptionValues) => cleanPlace(options, createOutput(options['json'] === true)));
}

function resumeCommand(): Command {
  const command = new Command('resume')
    .summary('continue a run that is paused, lost, stopped or failed')
    .description('Continues a paused run, and submits a run again that was lost, stopped or failed.')
    .argument('<run...>', 'folders of runs')
    .addOption(targetOption())
    .addOption(jobWebhookOption())
    .addOption(followOption());
  addTargetOptions(command);
  return command.action((folders: string[], options: OptionValues) =>
    resumeRuns(folders, options, createOutput(false)),
  );
}

/** What a job runs where it was submitted to. */
function workCommand(): Command {
  return new Command('work')
    .argument('<run>')
    .option('--sweep <folder>')
    .option('--trial-of <folder>')
    .option('--until-epoch <n>', '', Number)
    .action((folder: string, options: JobOfSweep) => work(resolve(folder), options, createOutput(false)));
}

function followOption(): Option {
  return new Option('--follow', 'show the runs until they have ended, as submit follow does');
}

async function submit(what: readonly string[], options: OptionValues): Promise<void> {
  const output = createOutput(options['json'] === true);
  const { to } = options;
  if (typeof to !== 'string') throw usageError('Say where the runs train, as in: fivecrop submit flowers --to slurm');
  const { target, place } = chooseTarget(to, options);
  const runs: WantedRun[] = [];
  for (const given of what) runs.push(await wantedRun(given, options, what.length));
  const out = resolve(String(options['out']));
  const wanted = runs.flatMap((run) => withSeeds(run, options['seeds']));
  const folders = await handOver({ target, place }, wanted, out, options, output, jobWebhookFrom(target, to, options));
  if (options['follow'] === true) await followRuns(folders, output);
}

/** The run that an argument means: a file of settings, or a folder of images with the settings of the flags. */
async function wantedRun(given: string, options: OptionValues, count: number): Promise<WantedRun> {
  const isFile = /\.json$/iu.test(given);
  if (isFile && typeof options['config'] === 'string')
    throw usageError(`${given} is a file of settings, and so is --config ${options['config']}: name one of them.`);
  const config = isFile
    ? await trainingConfigFrom(undefined, { ...options, config: given })
    : await trainingConfigFrom(given, options);
  const { name } = options;
  if (typeof name === 'string') {
    if (count > 1) throw usageError('--name is the name of one run; several are named for their files.');
    checkRunName(name);
    return { config, name };
  }
  const file = isFile ? given : options['config'];
  const own = typeof file === 'string' ? runNameOf(file) : undefined;
  return own === undefined ? { config } : { config, name: own };
}

function withSeeds(run: WantedRun, seeds: unknown): readonly WantedRun[] {
  if (typeof seeds !== 'number') return [run];
  const { config, name = defaultRunName(nameOf(config), config.method) } = run;
  return Array.from({ length: seeds }, (_, index) => {
    const seed = config.seed + index;
    return { config: { ...config, seed }, name: `${name}-seed-${seed}` };
  });
}

async function status(folder: string, output: Output): Promise<void> {
  const isRun = await hasRecord(folder);
  const { runs, unreadable } = isRun ? { runs: [await readStoredRun(folder)], unreadable: [] } : await listRuns(folder);
  for (const run of unreadable) output.say(`${run.folder} is left out: ${run.reason}`);
  const submitted = runs.filter(({ job }) => job !== undefined);
  if (submitted.length === 0) output.say(`No submitted run in ${folder}; fivecrop submit hands runs over.`);
  const known = await explained(submitted.filter(({ state }) => isOpen(state))).catch((error: unknown) => {
    // What the folders say is true on a machine without the scheduler too.
    if (!(error instanceof UserError)) throw error;
    output.say(error.message);
    return new Map<string, Explanation>();
  });
  // Where they are on another disk, the folders have been brought up to date by that.
  const now = await Promise.all(submitted.map((run) => readStoredRun(run.folder)));
  const rows = now.map((run) => {
    const { folder: path, state, record, job } = run;
    const explanation = known.get(path);
    const { sentence = record.reason ?? '', isThere } = explanation ?? {};
    // A job that is gone did not begin, or ended without a word.
    const word = explanation && !isThere && isOpen(state) ? 'lost' : stateWithPlace(run);
    output.object({ folder: path, state, job, ...(explanation ? { explanation } : {}) });
    return [
      record.name,
      word,
      job?.job ?? '',
      `${(record.progress?.epoch ?? 0).toFixed(1)}/${record.config.epochs}`,
      sentence,
    ];
  });
  if (rows.length > 0) for (const line of formatTable(['run', 'state', 'job', 'epoch', ''], rows)) output.print(line);
}

/** Whether the folder of a run does not say what has become of it. */
function isOpen(state: DerivedRunState): boolean {
  return state === 'queued' || state === 'broken off';
}

/** Asks runs for something, wherever they train. Throws a user error for the first that cannot do it. */
export async function askEach(folders: readonly string[], action: RunControlAction, output: Output): Promise<void> {
  for (const folder of folders) await ask(resolve(folder), action, output);
}

async function ask(folder: string, action: RunControlAction, output: Output): Promise<void> {
  const run = await readStoredRun(folder);
  const { state, record, job } = run;
  const target = job && targets[job.scheduler];
  if (isLive(state) || (target?.control && isOpen(state))) {
    await control(run, action);
    output.say(
      action === 'stop'
        ? `${record.name} finishes its step, saves, and ends.`
        : `${record.name} pauses after its step.`,
    );
    return;
  }
  if (!target || !isOpen(state) || action !== 'stop')
    throw userError(`${folder} is ${stateWithPlace(run)}: there is nothing to ${action}.`);
  await target.cancel([{ ...run, job }]);
  await writeStopped(folder);
  output.say(`${record.name} is taken out of the queue.`);
}

async function control(run: StoredRun, action: RunControlAction): Promise<void> {
  const { folder, job } = run;
  const target = job && targets[job.scheduler];
  if (job && target?.control) await target.control({ ...run, job }, action);
  else await requestControl(folder, action);
}

async function resumeRuns(folders: readonly string[], options: OptionValues, output: Output): Promise<void> {
  const places = folders.map((folder) => resolve(folder));
  const readAll = () => Promise.all(places.map((folder) => readStoredRun(folder)));
  const known = await explained((await readAll()).filter(({ state }) => !isLive(state)));
  // Where they are on another disk, the folders have been brought up to date by that.
  const runs = await readAll();
  const isThere = ({ folder }: StoredRun) => known.get(folder)?.isThere === true;
  const paused = runs.filter((run) => run.state === 'paused' || (run.record.state === 'paused' && isThere(run)));
  const others = runs.filter((run) => !paused.includes(run));
  const busy = others.find((run) => isLive(run.state) || run.state === 'finished');
  if (busy) throw userError(`${busy.folder} is ${stateWithPlace(busy)}: there is nothing to resume.`);
  const waiting = others.find(isThere);
  if (waiting)
    throw userError(`${waiting.folder} is not to be submitted again: ${known.get(waiting.folder)?.sentence ?? ''}.`);
  for (const run of paused) {
    await control(run, 'resume');
    output.say(`${run.record.name} continues.`);
  }
  const byTarget = new Map<string, WantedRun[]>();
  for (const { folder, job } of others) {
    const to = options['to'] ?? (job && targetOf(job));
    if (typeof to !== 'string') throw usageError('Say where to with --to.');
    const wanted = { config: await trainingConfigFrom(undefined, { resume: folder }), resume: folder };
    byTarget.set(to, [...(byTarget.get(to) ?? []), wanted]);
  }
  for (const [to, wanted] of byTarget) {
    const chosen = chooseTarget(to, options);
    const webhook = jobWebhookFrom(chosen.target, to, options);
    await handOver(chosen, wanted, resolve(wanted[0]?.resume ?? '', '..'), options, output, webhook);
  }
  if (options['follow'] === true) await followRuns(places, output);
}
