import { basename } from 'node:path';
import process from 'node:process';
import { CancelledError, userError } from '../../protocol/errors.ts';
import type { TrainingEvent, TrainingEventOf } from '../../protocol/trainingEvents.ts';
import { readEvents } from '../../runs/events.ts';
import { readStoredRun } from '../../runs/list.ts';
import { isLive, stateWithPlace } from '../../runs/state.ts';
import { lookInterval } from '../submit/ssh/lookInterval.ts';
import { patiently, pause } from '../submit/ssh/patiently.ts';
import type { FolderCopier, JobRun } from '../submit/target.ts';
import { interruptedExitCode, withInterrupt } from './interrupt.ts';
import type { Output } from './output.ts';
import { targets } from './submitTargets.ts';
import { createTrainingView, lineOf, type TrainingView } from './trainingView.ts';

/**
 * Shows submitted runs until they have ended: one as `train` shows its own, of several the lines. Where the machine that
 * trains them has another disk, their folders are brought up to date meanwhile. Ctrl-C ends the showing alone. Throws a user
 * error where a run failed or was lost.
 */
export async function followRuns(folders: readonly string[], output: Output): Promise<void> {
  const views = folders.map((folder) => followEvents(folder, viewOf(folder, folders.length, output)));
  const say = (line: string) => (views.length === 1 ? views[0]?.view.line(line) : output.say(line));
  try {
    const onInterrupt = () => say('The training goes on; fivecrop submit follow shows it again.');
    await withInterrupt(onInterrupt, (signal) => follow(folders, views, say, signal));
  } catch (error) {
    if (!(error instanceof CancelledError)) throw error;
    process.exitCode = interruptedExitCode;
    return;
  } finally {
    for (const { view } of views) view.end();
  }
  for (const { view, folder, done } of views) {
    const ended = done();
    if (ended) view.summarise(folder, ended);
  }
  const runs = await Promise.all(folders.map((folder) => readStoredRun(folder)));
  const broken = runs.filter(({ state }) => state !== 'finished' && state !== 'stopped');
  if (broken.length === 0) return;
  const names = broken.map((run) => `${run.record.name} is ${stateWithPlace(run)}`).join(', ');
  throw userError(`${names}: fivecrop submit resume continues it.`);
}

async function follow(
  folders: readonly string[],
  views: readonly FollowedEvents[],
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const copiers = await openCopiers(folders, say, signal);
  try {
    for (;;) {
      const open = await openRuns(folders, copiers, say, signal);
      for (const view of views) await view.show();
      if (open.size === 0) return;
      await pause(lookInterval(), signal);
    }
  } finally {
    for (const copier of copiers) await copier.close();
  }
}

async function openCopiers(
  folders: readonly string[],
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<readonly FolderCopier[]> {
  const runs = await Promise.all(folders.map((folder) => readStoredRun(folder)));
  const submitted = runs.filter((run): run is JobRun => run.job !== undefined);
  const copiers: FolderCopier[] = [];
  for (const [scheduler, target] of Object.entries(targets)) {
    const own = submitted.filter(({ job, state }) => job.scheduler === scheduler && !isOver(state));
    if (own.length > 0 && target.copier) copiers.push(await target.copier(own, { say, signal }));
  }
  return copiers;
}

/** Brings folders up to date. Returns those whose runs have still to end. A host that is out of reach is tried again. */
async function openRuns(
  folders: readonly string[],
  copiers: readonly FolderCopier[],
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const open = new Set<string>();
  const copied = new Set<string>();
  for (const copier of copiers) {
    for (const folder of copier.folders) copied.add(folder);
    for (const folder of await patiently(copier.copy, { say, signal })) open.add(folder);
  }
  for (const folder of folders.filter((each) => !copied.has(each))) {
    const { state } = await readStoredRun(folder);
    if (state === 'queued' || isLive(state)) open.add(folder);
  }
  return open;
}

function isOver(state: string): boolean {
  return state === 'finished' || state === 'stopped' || state === 'failed';
}

/** A run whose new events go to a view. */
interface FollowedEvents {
  readonly folder: string;
  readonly view: TrainingView;
  readonly show: () => Promise<void>;
  /** How it ended, where it has. */
  readonly done: () => TrainingEventOf<'done'> | undefined;
}

function followEvents(folder: string, view: TrainingView): FollowedEvents {
  let next = 0;
  let done: TrainingEventOf<'done'> | undefined;
  const take = (event: TrainingEvent) => {
    if (event.event === 'done') done = event;
    if (event.event === 'start') done = undefined;
    view.event(event);
  };
  const show = async () => {
    for await (const part of readEvents(folder, next)) {
      next = part.next;
      part.events.forEach(take);
    }
  };
  return { folder, view, show, done: () => done };
}

/** Of several runs, each line begins with the name of its run, and there is no bar. */
function viewOf(folder: string, count: number, output: Output): TrainingView {
  if (count === 1) return createTrainingView(output);
  const run = basename(folder);
  return {
    event: (event) => {
      output.object({ run, ...event });
      const line = lineOf(event);
      if (line !== undefined && !output.json) output.say(`${run}: ${line}`);
    },
    preparation: () => undefined,
    line: (text) => output.say(`${run}: ${text}`),
    end: () => undefined,
    summarise: (_, { reason }) => output.say(`${run}: ${reason}`),
  };
}
