import { type Command, Option } from 'commander';
import { cancelled, usageError } from '../../protocol/errors.ts';
import type { JobRecord } from '../../protocol/jobRecord.ts';
import { readStoredRun, type StoredRun } from '../../runs/list.ts';
import { slurmTarget, usualSignal } from '../submit/slurmTarget.ts';
import { sshTarget } from '../submit/ssh/sshTarget.ts';
import type { Explanation, JobRun, Submission, SubmitTarget, WantedRun } from '../submit/target.ts';
import { numberOf, type OptionValues } from './configFlags.ts';
import { withInterrupt } from './interrupt.ts';
import type { Output } from './output.ts';
import { ownCommand } from './ownCommand.ts';
import { preparationLines } from './preparationLines.ts';

/** Who runs can be handed to, by what `--to` begins with, which is also the scheduler that `job.json` names. */
export const targets: Readonly<Partial<Record<JobRecord['scheduler'], SubmitTarget>>> = {
  slurm: slurmTarget,
  ssh: sshTarget,
};

/** `--to`. */
export function targetOption(text = 'where the runs train: slurm, or ssh:HOST'): Option {
  return new Option('--to <target>', text);
}

/** Adds the flags that targets have of their own; a sweep has some of them with a wider meaning. */
export function addTargetOptions(command: Command, isSweep = false): void {
  if (!isSweep)
    command
      .option('--gpus <n>', 'Slurm: graphics cards of each run, also as type:n')
      .addOption(
        countOption(
          '--parallel <n>',
          'how many of several runs train at the same time [Slurm: all; SSH: 1]',
          1,
          10_000,
        ),
      );
  command
    .option('--partition <name>', 'Slurm: partition to submit to')
    .option('--cpus <n>', 'Slurm: processor cores of each run')
    .option('--memory <size>', 'Slurm: memory of each run, as in 16G')
    .option('--time <limit>', 'Slurm: time limit, in minutes, as hours:minutes:seconds, or days-hours')
    .addOption(
      countOption(
        '--signal <seconds>',
        `Slurm: seconds before the time limit at which a run saves [${usualSignal}]`,
        1,
        65_535,
      ),
    )
    .addOption(
      new Option(
        '--sbatch-option <option>',
        'Slurm: any other option of sbatch, as --account=NAME; may be repeated',
      ).argParser(collectOption),
    );
}

/** Options that would take the job out of our hands. */
const ownFlags = /^(?:-[ao]|--(?:array|wrap|parsable|no-requeue|signal|output)(?:=|$))/u;

function collectOption(given: string, before: unknown): string[] {
  if (!/^--?[a-zA-Z]/u.test(given) || ownFlags.test(given))
    throw usageError(
      `--sbatch-option ${given}: name an option of sbatch, with its value behind "="; the array, the signal and the output are set.`,
    );
  return [...(Array.isArray(before) ? before.map(String) : []), given];
}

/** A flag that takes a whole number. */
export function countOption(flags: string, text: string, least: number, most: number): Option {
  const [name = flags] = flags.split(' ');
  return new Option(flags, text).argParser((given: string) => {
    const count = numberOf(name, given);
    if (!Number.isInteger(count) || count < least || count > most)
      throw usageError(`${name} takes a whole number from ${least} to ${most}.`);
    return count;
  });
}

/** What `--to` means. */
export interface ChosenTarget {
  readonly target: SubmitTarget;
  readonly place: string | undefined;
}

/** Finds the target of `--to`. Throws a usage error for an unknown one, and for flags of another one. */
export function chooseTarget(to: string, options: OptionValues): ChosenTarget {
  const [scheduler = '', ...rest] = to.split(':');
  const found = Object.entries(targets).find(([name]) => name === scheduler)?.[1];
  if (!found) throw usageError(`--to ${to}: choose slurm or ssh:HOST.`);
  const own = new Set(found.ownOptions);
  const foreign = Object.values(targets)
    .flatMap(({ ownOptions }) => ownOptions)
    .find((option) => !own.has(option) && options[option] !== undefined);
  if (foreign !== undefined) throw usageError(`--to ${to} does not know --${dashed(foreign)}.`);
  return { target: found, place: rest.length === 0 ? undefined : rest.join(':') };
}

/** Throws a usage error for a flag of a target where there is none. */
export function refuseTargetOptions(options: OptionValues): void {
  const own = Object.values(targets).flatMap(({ ownOptions }) => ownOptions);
  const shared = ['parallel', 'gpus'];
  const given = own.find((option) => !shared.includes(option) && options[option] !== undefined);
  if (given !== undefined) throw usageError(`--${dashed(given)} can only be used with --to.`);
}

/** `sbatchOption` as its flag is written. */
function dashed(option: string): string {
  return option.replace(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`);
}

/** What is known elsewhere of those of several runs that were submitted, by folder. */
export async function explained(runs: readonly StoredRun[]): Promise<ReadonlyMap<string, Explanation>> {
  const found = new Map<string, Explanation>();
  const asked = runs.filter((run): run is JobRun => run.job !== undefined);
  for (const [scheduler, target] of Object.entries(targets)) {
    const own = asked.filter(({ job }) => job.scheduler === scheduler);
    if (own.length === 0) continue;
    for (const [folder, explanation] of await target.explain(own)) found.set(folder, explanation);
  }
  return found;
}

/** Hands runs to a target, and says which jobs they have become. */
export async function handOver(
  { target, place }: ChosenTarget,
  runs: readonly WantedRun[],
  out: string,
  options: OptionValues,
  output: Output,
  more: Pick<Submission, 'sweep' | 'environment'> = {},
): Promise<readonly string[]> {
  const { folders, isInterrupted } = await withInterrupt(
    () => output.say('Nothing more is submitted.'),
    async (signal) => {
      const submitted = await target.submit({
        ...{ runs, out, place, options, signal, command: ownCommand(), say: output.say },
        onProgress: preparationLines(output.say),
        ...more,
      });
      return { folders: submitted, isInterrupted: signal.aborted };
    },
  );
  for (const folder of folders) {
    const { job } = await readStoredRun(folder);
    output.object({ folder, job });
    output.say(`Submitted ${folder}${job ? ` as job ${job.job}` : ''}`);
  }
  // Too late for these, but not for what was to come after.
  if (isInterrupted) throw cancelled();
  return folders;
}

/** The `--to` that a job came from. */
export function targetOf({ scheduler, host }: JobRecord): string {
  return scheduler === 'ssh' ? `ssh:${host ?? ''}` : scheduler;
}
