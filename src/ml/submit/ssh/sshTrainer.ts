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
import { idOf } from './bringData.ts';
import { isConnectionLost } from './connectionError.ts';
import { createCopier, remotePlace } from './copyRuns.ts';
import { lookInterval } from './lookInterval.ts';
import { type Patience, patiently, pause } from './patiently.ts';
import { createPlaces, type Place, type Places } from './places.ts';
import { checkHost, connectHost, type RemoteHost } from './remoteHost.ts';
import { remoteSentence } from './remoteSentence.ts';
import { newJob, releaseRun, sendRuns, type StartRequest } from './sendRuns.ts';

interface SweepPatience extends Patience {
  /** Whether the trials are to end too, where the process of the sweep does. */
  readonly isStopped: () => boolean;
}

/** For how many looks a trial waits for a host that is out of reach while others are not: ten minutes. */
const looksToWait = 300;

/**
 * Trains runs on one or several hosts, each on the one that has the fewest, for a process that waits for them. Where the
 * sweep `shared` is asked to stop, its runs are stopped there; where its process is to end alone, by Ctrl-C, they go on.
 * Of several hosts, those in reach train on while another one is not: what was not begun there goes to them, and what was
 * is waited for, though not for ever. Throws a user error where a host cannot be used, or none be reached.
 */
export async function openSshTrainer(
  names: readonly string[],
  options: TrainerOptions,
  connect: typeof connectHost = connectHost,
): Promise<RunTrainer> {
  const { say, signal, shared } = options;
  const reach = async (name: string) => (await connect(checkHost(name), { say, signal })).under(undefined);
  const places = createPlaces(names, reach, say);
  try {
    await reachSome(places, say);
    if (signal.aborted) throw cancelled();
  } catch (error) {
    await places.close();
    throw error;
  }
  const features = shared === undefined ? undefined : idOf(shared);
  const isStopped = () => shared !== undefined && stopIsRequested(shared);
  return {
    places: names.length,
    train: async (run, runSignal) => {
      // As many runs listen to it as train at the same time.
      setMaxListeners(0, runSignal);
      const trainer = { places, features, say, signal: runSignal, isStopped };
      try {
        return await train(run, trainer);
      } catch (error) {
        if (!isConnectionLost(error)) throw error;
        const reason = `${messageOf(error)} If it trains there, that goes on, and fivecrop sweep resume takes it up.`;
        return { reason, cause: 'passing' };
      }
    },
    finish: async () => {
      if (features === undefined) return;
      for (const place of places.all)
        await place
          .use(({ host }) => host.ask({ ask: 'forget', features }))
          .catch((error: unknown) => {
            if (!(error instanceof UserError)) throw error;
            say(`${error.message} What trials shared there stays until fivecrop submit clean.`);
          });
    },
    close: places.close,
  };
}

/** Connects with all hosts. Throws the user error of one that cannot be used, or, where none can be reached, of the first. */
async function reachSome({ all }: Places, say: (line: string) => void): Promise<void> {
  const lost: unknown[] = [];
  for (const place of all)
    await place.reach().catch((error: unknown) => {
      if (!isConnectionLost(error)) throw error;
      lost.push(error);
    });
  if (lost.length === all.length) throw lost[0];
  for (const error of lost) say(`${messageOf(error)} The trials train on the other hosts until it can be.`);
}

/** What the training of one run is about. */
interface Trainer {
  readonly places: Places;
  /** Names what the trials of a sweep share. */
  readonly features: string | undefined;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  readonly isStopped: () => boolean;
}

/** Trains a run as `RunTrainer` says; throws the connection’s error where a host was waited for in vain. */
async function train(run: AwaitedRun, trainer: Trainer): Promise<RunFailure | undefined> {
  const { places, say, signal } = trainer;
  const left = await leftJob(run.folder);
  if (left !== undefined) {
    const place = places.named(left.host);
    const patience = patienceAt(place, trainer);
    const release = () => place.use(({ host }) => releaseRun(host, left));
    if (left.isOpen || (await mayTrain(release, left.isLost))) {
      const end = await endOf(place, run, patience);
      if (end !== undefined) return end.failure;
      // It may be on its way there still: it must not begin beside what is handed over now.
      await patiently(release, patience);
    }
  } else if (run.resumes) await whenNotTrainedHere(run.folder, signal);
  let { resumes } = run;
  let before = -1;
  for (;;) {
    const refusal = await queued({ ...run, resumes }, signal);
    if (refusal !== undefined) return refusal;
    resumes = true;
    const { state, host } = await trainSomewhere(run, trainer);
    if (state === 'over') return failureOf(run.folder);
    const why = `${basename(run.folder)}: ${remoteSentence(host, state)}`;
    const { progress } = (await readStoredRun(run.folder)).record;
    const step = progress?.step ?? 0;
    // Such as one that needs more memory than the host has.
    if (step <= before) return { reason: `${why}, and once more without a step.`, cause: 'passing' };
    before = step;
    say(`${why}; it is handed over again.`);
  }
}

/** A trial waits for a host at whose place another one is in reach for a while, and otherwise until it is there. */
function patienceAt(place: Place, { places, say, signal, isStopped }: Trainer): SweepPatience {
  const limit = () => (places.hasOther(place) ? looksToWait * lookInterval() : Infinity);
  return { say, signal, isStopped, limit };
}

/** Hands a run that waits over to the host that has the fewest, or to another one where that is out of reach, and follows it. */
async function trainSomewhere(
  run: AwaitedRun,
  trainer: Trainer,
): Promise<{ readonly state: RemoteState; readonly host: string }> {
  const { places } = trainer;
  for (;;) {
    const place = places.freest();
    const patience = patienceAt(place, trainer);
    place.busy++;
    try {
      const start = await sendTo(place, run, trainer);
      if (start === undefined) continue;
      // From here on it may train there, and must not elsewhere.
      await patiently(() => place.use(({ host }) => host.ask(start)), patience);
      return { state: await follow(place, run.folder, patience), host: place.name };
    } finally {
      place.busy--;
    }
  }
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
  place: Place,
  run: AwaitedRun,
  patience: SweepPatience,
): Promise<{ readonly failure: RunFailure | undefined } | undefined> {
  const { folder, untilEpoch = Infinity } = run;
  if ((await follow(place, folder, patience)) !== 'over') return undefined;
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

/** Brings a run to a host. Undefined where that is out of reach, and another one is not. */
async function sendTo(
  place: Place,
  { folder, untilEpoch }: AwaitedRun,
  { places, features, say, signal }: Trainer,
): Promise<StartRequest | undefined> {
  const how = {
    ...{ job: newJob(), parallel: 1 },
    ...(untilEpoch === undefined ? {} : { untilEpoch }),
    ...(features === undefined ? {} : { features }),
  };
  const send = () => place.use(({ host, bring }) => sendRuns(host.under(signal), [folder], bring, how));
  const limit = () => (places.hasOther(place) ? 0 : Infinity);
  try {
    const start = await patiently(send, { say, signal, limit });
    if (signal.aborted) throw cancelled();
    return start;
  } catch (error) {
    if (!isConnectionLost(error)) throw error;
    say(`${messageOf(error)} ${basename(folder)} goes to another host.`);
    return undefined;
  }
}

/** Follows a run until it does not train there any more. Where its sweep is stopped, it is stopped there, and followed to its end. */
async function follow(place: Place, folder: string, patience: SweepPatience): Promise<RemoteState> {
  const { say, signal, isStopped } = patience;
  const { job, ...run } = await readStoredRun(folder);
  if (job === undefined) throw userError(`${folder} has no job any more: job.json is gone.`);
  const { host } = await patiently(place.reach, patience);
  const copier = createCopier(host, [{ ...run, job }]);
  const look = () => place.use(async (): Promise<RemoteState> => (await copier.copy()).get(folder) ?? 'gone');
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
