import { existsSync } from 'node:fs';
import { join } from 'node:path';
import packageJson from '../../../../package.json' with { type: 'json' };
import { longestSentence } from '../../../protocol/bounded.ts';
import { CancelledError, codeOf, messageOf, usageError, UserError } from '../../../protocol/errors.ts';
import { type RunProfile, runProfileSchema } from '../../../protocol/runProfile.ts';
import { cardText, runFiles, type RunRecord } from '../../../protocol/runRecord.ts';
import type { GivenConfig } from '../../../protocol/trainingConfig.ts';
import type { TrainingEvent, TrainingEventOf } from '../../../protocol/trainingEvents.ts';
import { writeTextAtomically } from '../../../runs/atomicFile.ts';
import { profileLimit, readBoundedJson } from '../../../runs/boundedFile.ts';
import { takeControl } from '../../../runs/control.ts';
import { writeRunSplit } from '../../../runs/split.ts';
import { diskError } from '../../../runs/diskError.ts';
import { forgetJob } from '../../../runs/job.ts';
import { defaultRunName } from '../../../runs/name.ts';
import { type Owner, recordedProcess } from '../../../runs/owner.ts';
import { createRunFolder, reopenRunFolder, type RunFolder } from '../../../runs/runFolder.ts';
import { splitForHeader } from '../../data/keptSplit.ts';
import { engineVersion } from '../../engine/engineVersion.ts';
import type { EndOfWork, Webhook } from '../../webhook/webhook.ts';
import { locateWeights, type WeightsChoice } from '../../weights/locateWeights.ts';
import { assembleRun, nameOf } from './assembleRun.ts';
import { checkWhileTraining, type DataCheck } from './dataCheck.ts';
import { createTrainingControl, type TrainingControl } from './control.ts';
import { machineText } from './machine.ts';
import type { ChosenEngine } from '../../engine/chooseEngine.ts';
import type { EngineChooser } from './engineChooser.ts';
import { heedControl } from './heedControl.ts';
import { placesOfWeights, planRun, refuseUntrainable, type RunPlan } from './planRun.ts';
import { type ResumeRequest, resumeRequest } from './resumeFrom.ts';
import { createRunProfiler, type RunProfiler } from '../profile/runProfiler.ts';
import { createRunSession, type RunSession } from './runSession.ts';
import { isDiverged } from './saver.ts';
import { openTensorboardFile, removeTensorboardFiles } from './tensorboardFile.ts';
import { type LoopOptions, type LoopResult, trainingLoop } from '../loop/trainingLoop.ts';

export interface TrainRunOptions {
  /** Folder in which the run's own folder is made. */
  readonly out: string;
  /** Name of the run and of its folder; `<network>-<method>` without it. A name that is taken gets a counter. */
  readonly name?: string;
  /**
   * The folder of a run, or a checkpoint, to go on from. A run and its last checkpoint go on in that run's folder, unless
   * `name` is given; any other checkpoint begins a new folder, so that nothing is overwritten. A run that ended before its
   * first checkpoint begins again in its folder.
   */
  readonly resume?: string;
  readonly chooseEngine: EngineChooser;
  /** Sees every event after it lies in `metrics.jsonl`. */
  readonly onEvent?: (event: TrainingEvent) => void;
  /** Called once, as soon as the run's folder is there, with the number of events that it holds already. */
  readonly onFolder?: (folder: string, events: number) => void;
  /** Pause, resume and stop; `createTrainingControl()` makes one. */
  readonly control?: TrainingControl;
  /** An abort is a stop: the step is finished and saved. */
  readonly signal?: AbortSignal;
  /** Where the process that trains can be reached, for the run's record. */
  readonly socket?: string;
  /** Where pretrained weights are kept and fetched from; the weights room's defaults without it. */
  readonly weights?: { readonly folder?: string; readonly mirror?: string };
  /** Steps whose time is taken apart into `profile.json`; none without it. */
  readonly profileSteps?: number;
  /** Stops the run once this many epochs are done, with its schedule for all of them. */
  readonly untilEpoch?: number;
  /** Folder that keeps what frozen layers make of images, for other runs that freeze the same. */
  readonly featuresFolder?: string;
  /** Hears of the end of a run that has a folder, once its folder says so; a failure to tell it is a line in the log. */
  readonly webhook?: Webhook;
  /** Takes the steps; `trainingLoop` without it. */
  readonly loop?: (options: LoopOptions) => Promise<LoopResult>;
  /** A job trains the run: what was asked for in its folder before it was opened counts too, and the folder keeps `job.json`. */
  readonly isJob?: boolean;
  /** Asked when a run was stopped, with the steps of this session: whether it waits for its job to go on. */
  readonly waitsAfter?: (steps: number) => boolean;
  /** Progress of what happens before the first step: downloads and the reading of the data. */
  readonly onProgress?: (progress: {
    readonly what: string;
    readonly done: number;
    readonly total: number | undefined;
  }) => void;
}

export interface TrainRunResult {
  /** The run's folder, absolute. */
  readonly folder: string;
  readonly name: string;
  readonly done: TrainingEventOf<'done'>;
  /** Where the time went, where that was asked for and the run came far enough. */
  readonly profile?: RunProfile;
}

/**
 * Trains a classifier as `config` says and writes the run's folder. Ends with `done.state` `finished` (all epochs, or
 * early stop) or `stopped` (on request). Throws a `UserError` where data, weights, network, machine or disk are in the
 * way; the run's record then says `failed` with the same sentence, and the checkpoints written so far stay. What is wrong
 * with the configuration or the data folder itself is thrown before a folder is made.
 */
export async function trainRun(config: GivenConfig, options: TrainRunOptions): Promise<TrainRunResult> {
  const control = options.control ?? createTrainingControl();
  const unlink = stopOnAbort(options.signal, control);
  try {
    const request =
      options.resume === undefined ? undefined : await resumeRequest(options.resume, options.name !== undefined);
    const told: Told = {};
    const work = async () => {
      if (request?.inPlace === undefined) return trainOn(config, options, control, told, request);
      const reopened = await reopenRunFolder(request.inPlace);
      return trainOn(config, options, control, told, request, reopened).finally(reopened.close);
    };
    // The folder is let go of by then: nobody waits for a server.
    return await work().finally(() => tellOfEnd(told.end, options));
  } finally {
    unlink();
  }
}

/** Tells the webhook of the end of a run, and the log of the run, and whoever hears of it, where that does not arrive. */
async function tellOfEnd(
  end: TellableEnd | undefined,
  { webhook, onEvent }: Pick<TrainRunOptions, 'webhook' | 'onEvent'>,
): Promise<void> {
  if (!end || !webhook) return;
  const { folder, ...message } = end;
  const why = await webhook.tell(message);
  if (why === undefined) return;
  const event = { event: 'log', level: 'warning', message: why, time: new Date().toISOString() } as const;
  // Somebody else may be at it by now.
  const run = await reopenRunFolder(folder).catch(() => undefined);
  try {
    run?.append(event);
  } catch {
    // A full disk is told by what ended the run.
  } finally {
    await run?.close();
  }
  onEvent?.(event);
}

/** Trains in the folder of the run that goes on, or, where there is none, in a new one. */
async function trainOn(
  given: GivenConfig,
  options: TrainRunOptions,
  control: TrainingControl,
  told: Told,
  request?: ResumeRequest,
  reopened?: RunFolder,
): Promise<TrainRunResult> {
  const plan = await planRun(given, { ...options, signal: control.signal }, request);
  const folder = await openFolder(plan, options, recordedProcess(), reopened);
  if (options.isJob !== true) {
    await takeControl(folder.path);
    await forgetJob(folder.path);
  }
  const endHeeding = heedControl(folder.path, control);
  try {
    const session = createRunSession(folder, options.onEvent);
    options.onFolder?.(folder.path, folder.events);
    for (const { level, message } of plan.notes) session.log(message, level);
    const started = { ...plan, options, control, session, told, inPlace: reopened !== undefined };
    const result = await trainInFolder(started).finally(session.end);
    return options.profileSteps === undefined ? result : { ...result, ...(await readProfile(folder.path)) };
  } finally {
    endHeeding();
    // Whoever opened it before closes it.
    if (!reopened) await folder.close();
  }
}

/**
 * Checks a run as `trainRun` does before its first step, fetches its pretrained weights, and leaves its folder for a job
 * that trains it later by `trainRun` with `resume`. Its record names no process. Returns the folder; throws as `trainRun`.
 */
export async function queueRun(
  config: GivenConfig,
  options: Pick<TrainRunOptions, 'out' | 'name' | 'resume' | 'weights' | 'onProgress'> & {
    readonly signal: AbortSignal;
  },
): Promise<string> {
  const { resume, name, signal } = options;
  const request = resume === undefined ? undefined : await resumeRequest(resume, name !== undefined);
  if (request && request.inPlace === undefined)
    throw usageError(`${resume ?? ''} begins a new run, which cannot wait in a queue: name the folder of a run.`);
  const reopened = request?.inPlace === undefined ? undefined : await reopenRunFolder(request.inPlace);
  let folder = reopened;
  try {
    const plan = await planRun(config, options, request);
    const { firstWeights: first } = plan.opened;
    // Machines of a cluster often reach no server.
    if (!plan.resumed && first && typeof first.source !== 'string')
      await locateFor(first.network, first.source, options, signal);
    folder = await openFolder(plan, options, undefined, reopened);
    await takeControl(folder.path);
    const time = new Date().toISOString();
    // A resume says these again.
    if (!reopened) folder.append(...plan.notes.map((note) => ({ event: 'log' as const, time, ...note })));
    return folder.path;
  } finally {
    await folder?.close();
  }
}

/** A run whose network, data and folder are open. */
interface StartedRun extends RunPlan {
  readonly options: TrainRunOptions;
  readonly control: TrainingControl;
  readonly session: RunSession;
  readonly told: Told;
  readonly inPlace: boolean;
}

/** How a run ended, as the webhook is told. */
type TellableEnd = EndOfWork & { readonly folder: string };

/** What is to be told when the folder of a run is let go of; nothing where it waits for its job. */
interface Told {
  end?: TellableEnd;
}

async function trainInFolder(started: StartedRun): Promise<TrainRunResult> {
  const { session } = started;
  try {
    const { loop, dataCheck } = await prepare(started);
    const begun = loop.start.step;
    const { state, reason, position } = await (started.options.loop ?? trainingLoop)(loop);
    await dataCheck.finished();
    const waits = state === 'stopped' && started.options.waitsAfter?.(position.step - begun) === true;
    return await end(started, { state, reason, step: position.step, waits }, position.best?.validAccuracy);
  } catch (error) {
    const step = session.folder.record.progress?.step ?? 0;
    if (error instanceof CancelledError) {
      const goesOn = started.resumed !== undefined;
      const reason = goesOn
        ? 'Stopped before the next step.'
        : 'Stopped before the first step; there is nothing to resume from.';
      const waits = started.options.waitsAfter?.(0) === true;
      return end(started, { state: 'stopped', reason, step: goesOn ? step : 0, waits });
    }
    const failed = diskError(error, session.folder.path);
    if (failed instanceof UserError && failed.kind === 'weights') {
      session.log(`What was tried: ${messageOf(failed.cause)}`);
      await session.record({ missing: 'weights' }).catch(() => undefined);
    }
    const how = { state: 'failed', reason: messageOf(failed), step, waits: false, failedBy: causeOf(failed) } as const;
    // The disk may be what failed; the failure itself is what has to be told.
    await end(started, how).catch(() => undefined);
    throw failed;
  }
}

async function prepare(started: StartedRun): Promise<{ loop: LoopOptions; dataCheck: DataCheck }> {
  const { config, options, control, session, dataset, resumed } = started;
  session.emit({ event: 'state', state: 'preparing' });
  const dataCheck = checkWhileTraining(started, control.signal);
  const chosen = await options.chooseEngine({ engine: config.engine, device: config.device, log: session.log });
  for (const fallback of chosen.fallbacks) session.log(fallback, 'warning');
  const version = engineVersion(chosen.engine.name);
  const card = await chosen.engine.card(chosen.device);
  if (chosen.device !== 'cpu')
    session.log(
      `Training with ${chosen.engine.name} ${version} on ${chosen.device}${card ? `, ${cardText(card)}` : ''}.`,
    );
  const profiler = options.profileSteps === undefined ? undefined : profileRun(started, chosen, options.profileSteps);
  const { environment } = session.folder.record;
  await session.record({
    environment: {
      ...environment,
      engine: chosen.engine.name,
      engineVersion: version,
      device: chosen.device,
      card,
      fallbacks: [...chosen.fallbacks],
    },
  });
  const locate = (name: string, choice: WeightsChoice) => locateFor(name, choice, options, control.signal);
  const assembled = await assembleRun({
    ...started,
    chosen,
    dataCheck,
    locateWeights: locate,
    ...(profiler ? { profiler } : {}),
    ...(options.featuresFolder === undefined ? {} : { featuresFolder: options.featuresFolder }),
  });
  refuseUntrainable(await dataCheck.readable, started.split);
  const split = await dataCheck.split;
  if (!(started.inPlace && started.splitIsKept)) await writeRunSplit(session.folder.path, split);
  const loop = {
    ...assembled,
    facts: { ...assembled.facts, split: splitForHeader(split) },
    ...(options.untilEpoch === undefined ? {} : { untilEpoch: options.untilEpoch }),
  };
  const { stepsPerEpoch } = loop;
  if (config.tensorboard) await writeTensorboard(session, loop.start.step);
  else await removeOldTensorboard(session);
  session.emit({
    event: 'start',
    run: session.folder.name,
    engine: chosen.engine.name,
    device: chosen.device,
    network: nameOf(config),
    classes: dataset.classes.length,
    trainImages: dataset.splits.train.length,
    validImages: dataset.splits.valid.length,
    stepsPerEpoch,
    totalSteps: stepsPerEpoch * config.epochs,
    step: loop.start.step,
    ...(resumed ? { resumedFrom: resumed.path } : {}),
  });
  session.emit({ event: 'state', state: 'running' });
  const epoch = loop.start.epoch + loop.start.batchInEpoch / stepsPerEpoch;
  const progress = { step: loop.start.step, totalSteps: stepsPerEpoch * config.epochs, epoch, stepsPerEpoch };
  await session.record({ state: 'running', progress, ...(loop.start.best ? { best: loop.start.best } : {}) });
  return { loop, dataCheck };
}

/** Writes what follows for TensorBoard too. A file that cannot be written is left, with a line: training does not need it. */
async function writeTensorboard(session: RunSession, step: number): Promise<void> {
  const { path } = session.folder;
  const giveUp = (error: unknown) => {
    session.log(`The file for TensorBoard is not written: ${messageOf(diskError(error, path))}`, 'warning');
  };
  try {
    const file = await openTensorboardFile(path, step);
    let failed = false;
    session.listen((event) => {
      if (failed) return;
      try {
        file.append(event);
      } catch (error) {
        failed = true;
        giveUp(error);
      }
    });
    session.onEnd(() => {
      file.close();
      return Promise.resolve();
    });
  } catch (error) {
    giveUp(error);
  }
}

/** A file of an earlier session, which wrote one, would be taken for the whole run. */
async function removeOldTensorboard(session: RunSession): Promise<void> {
  const { path } = session.folder;
  const removed = await removeTensorboardFiles(path).catch((error: unknown) => {
    session.log(`The old file for TensorBoard could not be deleted: ${messageOf(diskError(error, path))}`, 'warning');
    return 0;
  });
  if (removed === 0) return;
  const again = 'A resume with --tensorboard writes it again, from the first step on.';
  session.log(`The run continues without a file for TensorBoard, and the old one is deleted. ${again}`, 'warning');
}

/** A profiler whose result is written when all that it watches has ended. */
function profileRun({ config, session }: StartedRun, { engine, device }: ChosenEngine, steps: number): RunProfiler {
  const { path } = session.folder;
  if (!engine.profiled) {
    session.log(
      `The engine ${engine.name} does not report the times of its operators, so the profile is of whole steps.`,
      'warning',
    );
  }
  const profiler = createRunProfiler(steps, path);
  session.onEnd(async () => {
    const { method, batchSize } = config;
    const facts = { engine: engine.name, device, network: nameOf(config), method, batchSize };
    const profile = profiler.result(facts);
    await writeTextAtomically(join(path, runFiles.profile), `${JSON.stringify(profile, undefined, 1)}\n`);
  });
  return profiler;
}

async function readProfile(folder: string): Promise<Pick<TrainRunResult, 'profile'>> {
  const file = join(folder, runFiles.profile);
  return existsSync(file) ? { profile: runProfileSchema.parse(await readBoundedJson(file, profileLimit)) } : {};
}

/** What a failure says of whether the run can go on, for its record. */
function causeOf(failure: unknown): RunRecord['failedBy'] {
  if (isDiverged(failure) || (failure instanceof UserError && failure.kind === 'usage')) return 'settings';
  return ['ENOSPC', 'EDQUOT'].includes(codeOf(failure) ?? '') ? 'disk' : undefined;
}

/** How a run ends. */
type RunEnd = Pick<TrainingEventOf<'done'>, 'state' | 'reason' | 'step'> & {
  /** It was stopped, and waits for its job to go on. */
  readonly waits: boolean;
  readonly failedBy?: RunRecord['failedBy'];
};

/** Writes the end of a run to its events and its record. What is to be told of it is known also where the disk refuses that. */
async function end(started: StartedRun, how: RunEnd, bestAccuracy?: number): Promise<TrainRunResult> {
  const { session, dataset, told } = started;
  const { waits, failedBy, ...end } = how;
  if (!waits) {
    const { path, name, record } = session.folder;
    const { validAccuracy: accuracy, validLoss: loss } = record.best ?? {};
    told.end = {
      ...{ folder: path, kind: 'run', name, state: end.state, reason: end.reason },
      ...(accuracy === undefined || loss === undefined
        ? {}
        : { best: { run: name, accuracy, loss, of: 'validation', images: dataset.splits.valid.length } }),
    };
  }
  // No record with a longer one could be read again.
  const reason = end.reason.slice(0, longestSentence);
  const { folder } = session;
  const existing = (file: string) =>
    existsSync(join(folder.checkpoints, file)) ? join(folder.checkpoints, file) : undefined;
  const best = existing(runFiles.best);
  const last = existing(runFiles.last);
  await session.record(waits ? { ...queued, reason } : { state: end.state, reason, failedBy });
  session.emit({ event: 'state', state: end.state });
  const event = {
    event: 'done' as const,
    ...end,
    reason,
    ...(bestAccuracy === undefined ? {} : { bestAccuracy }),
    ...(best === undefined ? {} : { best }),
    ...(last === undefined ? {} : { last }),
  };
  session.emit(event);
  return { folder: folder.path, name: folder.name, done: { ...event, time: new Date().toISOString() } };
}

/** The file of a network's pretrained weights, fetched where it is not there. */
function locateFor(
  network: string,
  choice: WeightsChoice,
  options: Pick<TrainRunOptions, 'weights' | 'onProgress'>,
  signal: AbortSignal,
): Promise<string> {
  const { onProgress } = options;
  return locateWeights(network, choice, {
    ...placesOfWeights(options),
    ...(onProgress
      ? { onProgress: ({ file, received, total }) => onProgress({ what: file, done: received, total }) }
      : {}),
    signal,
  });
}

/** What the record of a run says that waits for its job. */
const queued = { state: 'preparing', process: undefined } as const;

/** The folder to train in, its record saying that the process `owner` does. */
async function openFolder(
  { config, resumed }: RunPlan,
  { out, name, socket }: Pick<TrainRunOptions, 'out' | 'name' | 'socket'>,
  owner: Owner | undefined,
  reopened: RunFolder | undefined,
): Promise<RunFolder> {
  const now = new Date();
  const changes = {
    state: 'preparing' as const,
    config,
    process: owner && { ...owner, started: now.toISOString(), ...(socket === undefined ? {} : { socket }) },
    environment: {
      fivecrop: packageJson.version,
      node: process.version,
      platform: `${process.platform}-${process.arch}`,
      machine: machineText(),
      fallbacks: [],
    },
    heedsControl: true,
    ...(resumed === undefined ? {} : { resumedFrom: resumed.path }),
  };
  if (reopened === undefined) {
    const wanted = name ?? defaultRunName(nameOf(config), config.method);
    return createRunFolder(out, wanted, { ...changes, created: now.toISOString() });
  }
  const afresh = resumed === undefined ? { progress: undefined, best: undefined, resumedFrom: undefined } : {};
  await reopened.update({ ...afresh, ...changes, reason: undefined, missing: undefined, failedBy: undefined });
  return reopened;
}

function stopOnAbort(signal: AbortSignal | undefined, control: TrainingControl): () => void {
  if (signal?.aborted) control.stop();
  signal?.addEventListener('abort', control.stop);
  return () => signal?.removeEventListener('abort', control.stop);
}
