import { setMaxListeners } from 'node:events';
import { basename, dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cancelled, messageOf, UserError, userError } from '../../../protocol/errors.ts';
import { isUndone, type RemoteState } from '../../../protocol/remoteMessages.ts';
import { readJobRecord } from '../../../runs/job.ts';
import { readStoredRun } from '../../../runs/list.ts';
import { readRunRecord } from '../../../runs/record.ts';
import { isLive, isOver } from '../../../runs/state.ts';
import { stopIsRequested } from '../../../runs/sweep.ts';
import { queueRun } from '../../training/run/trainRun.ts';
import type { AwaitedRun, RunFailure, RunTrainer, TrainerOptions } from '../target.ts';
import { createBringer, type DataBringer, idOf } from './bringData.ts';
import { isConnectionLost } from './connectionError.ts';
import { createCopier, remotePlace } from './copyRuns.ts';
import { lookInterval } from './lookInterval.ts';
import { type Patience, patiently, pause } from './patiently.ts';
import { checkHost, connectHost, type RemoteHost } from './remoteHost.ts';
import { remoteSentence } from './remoteSentence.ts';
import { newJob, releaseRun, sendRuns } from './sendRuns.ts';
import { withFewTalks } from './withFewTalks.ts';

interface SweepPatience extends Patience {
  /** Whether the trials are to end too, where the process of the sweep does. */
  readonly isStopped: () => boolean;
}

/** A host with how many runs train there by us. */
interface Place {
  readonly host: RemoteHost;
  readonly bring: DataBringer;
  busy: number;
}

/**
 * Trains runs on one or several hosts, each on the one that has the fewest, for a process that waits for them. Where the
 * sweep `shared` is asked to stop, its runs are stopped there; where its process is to end alone, by Ctrl-C, they go on.
 * Throws a user error where a host cannot be used.
 */
export async function openSshTrainer(names: readonly string[], options: TrainerOptions): Promise<RunTrainer> {
  const { say, signal, shared } = options;
  const connect = async (name: string): Promise<Place> => {
    const host = withFewTalks((await connectHost(name, { say, signal })).under(undefined));
    return { host, bring: createBringer(host, say), busy: 0 };
  };
  const places: Place[] = [];
  // Of hosts that an earlier start used.
  const others = new Map<string, Promise<Place>>();
  const close = async () => {
    for (const place of [...places, ...others.values()])
      await Promise.resolve(place).then(
        ({ host }) => host.close(),
        () => undefined,
      );
  };
  try {
    for (const name of names) places.push(await connect(name));
  } catch (error) {
    await close();
    throw error;
  }
  const placeOf = (name: string): Promise<Place> => {
    const place = places.find(({ host }) => host.name === name);
    if (place) return Promise.resolve(place);
    const other = others.get(name) ?? connect(checkHost(name));
    others.set(name, other);
    return other.catch((error: unknown) => {
      others.delete(name);
      throw error;
    });
  };
  const features = shared === undefined ? undefined : idOf(shared);
  const isStopped = () => shared !== undefined && stopIsRequested(shared);
  return {
    places: places.length,
    train: async (run, runSignal) => {
      // As many runs listen to it as train at the same time.
      setMaxListeners(0, runSignal);
      const patience: SweepPatience = { say, signal: runSignal, isStopped };
      const left = await leftJob(run.folder);
      if (left !== undefined) {
        const release = async () => releaseRun((await placeOf(left.host)).host, left);
        if (left.isOpen || (await mayTrain(release, left.isLost))) {
          const { host } = await patiently(() => placeOf(left.host), patience);
          const end = await endOf(host, run, patience);
          if (end !== undefined) return end.failure;
          // It may be on its way there still: it must not begin beside what is handed over now.
          await patiently(release, patience);
        }
      } else if (run.resumes) await whenNotTrainedHere(run.folder, runSignal);
      let before = -1;
      for (;;) {
        const refusal = await queued({ ...run, resumes: run.resumes || before >= 0 }, runSignal);
        if (refusal !== undefined) return refusal;
        const place = places.reduce((freest, each) => (each.busy < freest.busy ? each : freest));
        place.busy++;
        const state = await send(place, run, features, patience)
          .then(() => follow(place.host, run.folder, patience))
          .finally(() => place.busy--);
        if (state === 'over') return failureOf(run.folder);
        const why = `${basename(run.folder)}: ${remoteSentence(place.host.name, state)}`;
        const { progress } = (await readStoredRun(run.folder)).record;
        const step = progress?.step ?? 0;
        // Such as one that needs more memory than the host has.
        if (step <= before) return { reason: `${why}, and once more without a step.`, cause: 'passing' };
        before = step;
        say(`${why}; it is handed over again.`);
      }
    },
    finish: async () => {
      if (features === undefined) return;
      for (const { host } of places)
        await host.ask({ ask: 'forget', features }).catch((error: unknown) => {
          if (!(error instanceof UserError)) throw error;
          say(`${error.message} What trials shared there stays until fivecrop submit clean.`);
        });
    },
    close,
  };
}

/** The job of a run that an earlier process handed over. */
interface LeftJob {
  readonly job: string;
  readonly host: string;
  /** Whether its end is not known here. */
  readonly isOpen: boolean;
  /** Whether its host did not know it, or what became of it. */
  readonly isLost: boolean;
}

/**
 * Tidies up after a job that has ended. One that was lost may have been on its way to its host when that was asked: whether
 * the host does not let it go.
 */
async function mayTrain(release: () => Promise<void>, isLost: boolean): Promise<boolean> {
  try {
    await release();
    return false;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return isLost && !isConnectionLost(error);
  }
}

async function leftJob(folder: string): Promise<LeftJob | undefined> {
  const job = await readJobRecord(folder);
  if (job?.scheduler !== 'ssh' || job.host === undefined) return undefined;
  const { state } = await readStoredRun(folder);
  return { job: job.job, host: job.host, isOpen: !isOver(state), isLost: state === 'broken off' };
}

/** An earlier start may have had it trained on this machine. */
async function whenNotTrainedHere(folder: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    const { state, record } = await readStoredRun(folder);
    if (record.process === undefined || !isLive(state)) return;
    await pause(lookInterval(), signal);
  }
}

/** Follows a run that an earlier process handed over. Undefined where it did not come to its end there. */
async function endOf(
  host: RemoteHost,
  run: AwaitedRun,
  patience: SweepPatience,
): Promise<{ readonly failure: RunFailure | undefined } | undefined> {
  const { folder, untilEpoch = Infinity } = run;
  if ((await follow(host, folder, patience)) !== 'over') return undefined;
  const failure = await failureOf(folder);
  const { state, record } = await readStoredRun(folder);
  const isDone = state === 'finished' || (record.progress?.epoch ?? 0) >= untilEpoch;
  return failure || isDone ? { failure } : undefined;
}

async function failureOf(folder: string): Promise<RunFailure | undefined> {
  const { state, record } = await readStoredRun(folder);
  return state === 'failed' ? { reason: record.reason ?? `its run ${basename(folder)} failed.` } : undefined;
}

/** Makes the folder of a run wait for a host, or says why its settings or data are refused. */
async function queued({ folder, config, resumes }: AwaitedRun, signal: AbortSignal): Promise<RunFailure | undefined> {
  const place = resumes ? { resume: folder } : { name: basename(folder) };
  try {
    // What it chose by itself stays.
    const chosen = resumes ? (await readRunRecord(folder)).config : config;
    await queueRun(chosen, { out: dirname(folder), ...place, signal });
    return undefined;
  } catch (error) {
    // A wrong setting is the run's own; what else is refused would be of every run.
    if (error instanceof UserError && error.kind === 'usage') return { reason: error.message, cause: 'settings' };
    throw error;
  }
}

async function send(
  { host, bring }: Place,
  { folder, untilEpoch }: AwaitedRun,
  features: string | undefined,
  patience: SweepPatience,
): Promise<void> {
  const how = {
    ...{ job: newJob(), parallel: 1 },
    ...(untilEpoch === undefined ? {} : { untilEpoch }),
    ...(features === undefined ? {} : { features }),
  };
  const breakable = host.under(patience.signal);
  const sent = await patiently(() => sendRuns(breakable, [folder], bring, how), patience);
  if (patience.signal.aborted) throw cancelled();
  await patiently(() => host.ask(sent), patience);
}

/** Follows a run until it does not train there any more. Where its sweep is stopped, it is stopped there, and followed to its end. */
async function follow(host: RemoteHost, folder: string, patience: SweepPatience): Promise<RemoteState> {
  const { say, signal, isStopped } = patience;
  const { job, ...run } = await readStoredRun(folder);
  if (job === undefined) throw userError(`${folder} has no job any more: job.json is gone.`);
  const copier = createCopier(host, [{ ...run, job }]);
  const look = async (): Promise<RemoteState> => (await copier.copy()).get(folder) ?? 'gone';
  try {
    for (;;) {
      const state = await patiently(look, patience);
      if (!isUndone(state)) return state;
      await pause(lookInterval(), signal);
    }
  } catch (error) {
    if (signal.aborted && isStopped()) await stopThere(host, job.job, look, say);
    throw error;
  } finally {
    await copier.close();
  }
}

async function stopThere(
  host: RemoteHost,
  job: string,
  look: () => Promise<RemoteState>,
  say: (line: string) => void,
): Promise<void> {
  try {
    await host.ask({ ask: 'control', ...remotePlace({ job }), action: 'stop' }).catch((error: unknown) => {
      // It may have ended.
      if (!(error instanceof UserError) || isConnectionLost(error)) throw error;
    });
    while (isUndone(await look())) await delay(lookInterval());
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    if (isConnectionLost(error)) say(`${messageOf(error)} What trains there goes on, and is taken up by a resume.`);
  }
}
