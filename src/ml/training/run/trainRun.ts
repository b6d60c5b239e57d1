import { existsSync } from 'node:fs';
import { join } from 'node:path';
import packageJson from '../../../../package.json' with { type: 'json' };
import { longestSentence } from '../../../protocol/bounded.ts';
import { findingText } from '../../../protocol/dataReport.ts';
import { CancelledError, messageOf, usageError, UserError, userError } from '../../../protocol/errors.ts';
import { type RunProfile, runProfileSchema } from '../../../protocol/runProfile.ts';
import { runFiles } from '../../../protocol/runRecord.ts';
import { contradictionIn } from '../../../protocol/contradictions.ts';
import { gaveWay } from '../../../protocol/recipes.ts';
import type { GivenConfig, TrainingConfig } from '../../../protocol/trainingConfig.ts';
import type { RunSplit } from '../../../protocol/runSplit.ts';
import type { TrainingEvent, TrainingEventOf } from '../../../protocol/trainingEvents.ts';
import { writeTextAtomically } from '../../../runs/atomicFile.ts';
import { profileLimit, readBoundedJson } from '../../../runs/boundedFile.ts';
import { writeRunSplit } from '../../../runs/split.ts';
import { diskError } from '../../../runs/diskError.ts';
import { defaultRunName } from '../../../runs/name.ts';
import { recordedProcess } from '../../../runs/owner.ts';
import { createRunFolder, reopenRunFolder, type RunFolder } from '../../../runs/runFolder.ts';
import { splitForHeader } from '../../data/keptSplit.ts';
import { readKeptSplit } from '../../data/readKeptSplit.ts';
import { type Dataset, scanDataset, scanOptionsOf } from '../../data/scanDataset.ts';
import { batchCount } from '../../data/loader.ts';
import { countsOf, type TrainableCounts, whyUntrainable } from '../../data/whyUntrainable.ts';
import { engineVersion } from '../../engine/engineVersion.ts';
import type { Webhook } from '../../webhook/webhook.ts';
import { locateWeights, type WeightsChoice } from '../../weights/locateWeights.ts';
import type { LocateOptions } from '../../weights/weightsPlaces.ts';
import { assembleRun, nameOf } from './assembleRun.ts';
import { checkWhileTraining, type DataCheck } from './dataCheck.ts';
import { chooseSteps, keepSteps } from './chooseSteps.ts';
import { createTrainingControl, type TrainingControl } from './control.ts';
import { machineText } from './machine.ts';
import type { ChosenEngine } from '../../engine/chooseEngine.ts';
import type { EngineChooser } from './engineChooser.ts';
import {
  checkClasses,
  checkResumable,
  readResumed,
  type ResumedFrom,
  type ResumeRequest,
  resumeRequest,
} from './resumeFrom.ts';
import { hasNetworkDropout, lacksNetworkDropout } from './networkDropout.ts';
import { refuseNeedless } from './refuseNeedless.ts';
import { resumeChanges, withPixels } from './resumeChanges.ts';
import { type NetworkToTrain, openNetwork } from './openNetwork.ts';
import { preprocessingOf, runNetwork } from './runNetwork.ts';
import { settleNetwork } from './settleNetwork.ts';
import { createRunProfiler, type RunProfiler } from '../profile/runProfiler.ts';
import { createRunSession, type RunSession } from './runSession.ts';
import { openTensorboardFile, removeTensorboardFiles } from './tensorboardFile.ts';
import { notesOfOldRun, type ResumedSplit, splitOfResumed } from './splitOfResumed.ts';
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
  /** Hears of the end of a run that has a folder, before the run's record says so; a failure to tell it is a line in the log. */
  readonly webhook?: Webhook;
  /** Takes the steps; `trainingLoop` without it. */
  readonly loop?: (options: LoopOptions) => Promise<LoopResult>;
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
    if (request?.inPlace === undefined) return await trainOn(config, options, control, request);
    const reopened = await reopenRunFolder(request.inPlace);
    return await trainOn(config, options, control, request, reopened).finally(reopened.close);
  } finally {
    unlink();
  }
}

/** Trains in the folder of the run that goes on, or, where there is none, in a new one. */
async function trainOn(
  given: GivenConfig,
  options: TrainRunOptions,
  control: TrainingControl,
  request?: ResumeRequest,
  reopened?: RunFolder,
): Promise<TrainRunResult> {
  const notes: string[] = [];
  const suggestions: string[] = [];
  const resumed = request && (await readResumed(request.checkpoints, (message) => notes.push(message)));
  if (!resumed) refuseContradictions(given);
  const named = await settleNetwork(given, resumed, {
    ...placesOfWeights(options),
    signal: control.signal,
  });
  const before = resumed?.checkpoint.metadata.preprocessing;
  const opened = await openNetwork(named, (message) => suggestions.push(message), before);
  const continued = resumed && keepSteps(named, resumed.resume.config);
  if (continued) checkResumable(resumed, continued, opened.network);
  // What cannot be trained is said before there is a folder; the numbers of classes and images change nothing of that.
  const networkDropout = !resumed || hasNetworkDropout(resumed);
  const first = continued ?? chooseSteps(named, opened.network, 1).config;
  const built = runNetwork(first, opened.network, 2, networkDropout);
  refuseNeedless(named, built, resumed?.resume.config);
  const lacks = networkDropout ? undefined : lacksNetworkDropout(first, opened.network);
  if (lacks !== undefined) notes.push(lacks);
  const { dataset, split, splitIsKept = false, notes: differences } = await splitOf(named, resumed);
  refuseUntrainable(countsOf(dataset), split);
  const steps = chooseSteps(continued ?? named, opened.network, dataset.splits.train.length);
  const { config } = steps;
  if (!resumed) refuseContradictions(config);
  if (steps.sentence !== undefined) suggestions.push(steps.sentence);
  const overridden = resumed ? undefined : gaveWay(given);
  if (overridden !== undefined) suggestions.push(overridden);
  const folder = await openFolder(config, options, resumed, reopened);
  try {
    const session = createRunSession(folder, options.onEvent);
    options.onFolder?.(folder.path, folder.events);
    const stepsPerEpoch = batchCount(dataset.splits.train.length, config.batchSize);
    const changes =
      resumed &&
      resumeChanges(
        withPixels(resumed.resume.config, resumed.checkpoint.metadata.preprocessing),
        withPixels(config, preprocessingOf(config, opened.network.images)),
        { step: resumed.resume.step, stepsPerEpoch },
      );
    for (const note of [...notes, ...differences, ...(changes === undefined ? [] : [changes])])
      session.log(note, 'warning');
    for (const suggestion of suggestions) session.log(suggestion);
    const inPlace = reopened !== undefined;
    const started = {
      ...{ config, opened, options, control, session, dataset, inPlace, splitIsKept, networkDropout },
      ...(resumed ? { resumed } : {}),
      ...(split ? { split } : {}),
    };
    const result = await trainInFolder(started).finally(session.end);
    return options.profileSteps === undefined ? result : { ...result, ...(await readProfile(folder.path)) };
  } finally {
    // Whoever opened it before closes it.
    if (!reopened) await folder.close();
  }
}

/** The data of a run: a resumed one goes on with the split that it drew. */
async function splitOf(
  config: GivenConfig,
  resumed: ResumedFrom | undefined,
): Promise<Partial<ResumedSplit> & Pick<ResumedSplit, 'dataset' | 'notes'>> {
  const kept = resumed && (await readKeptSplit(resumed.path));
  const classes = kept && { classes: resumed.checkpoint.metadata.classes };
  const dataset = await scanDataset(config.data, {
    ...scanOptionsOf(config),
    keptSplitBy: kept?.split.splitBy,
    ...classes,
  });
  if (!resumed) return { dataset, notes: [] };
  if (kept) return splitOfResumed(dataset, kept);
  checkClasses(resumed, dataset.classes);
  return { dataset, notes: await notesOfOldRun(resumed.path, dataset) };
}

/** A run whose network, data and folder are open. */
interface StartedRun {
  readonly config: TrainingConfig;
  readonly opened: NetworkToTrain;
  readonly options: TrainRunOptions;
  readonly control: TrainingControl;
  readonly session: RunSession;
  readonly dataset: Dataset;
  /** What a resumed run kept; it is drawn for a new one. */
  readonly split?: RunSplit;
  /** Whether it lies in the folder of the run already. */
  readonly splitIsKept: boolean;
  readonly resumed?: ResumedFrom;
  readonly inPlace: boolean;
  /** Whether the dropout of the network itself takes part. */
  readonly networkDropout: boolean;
}

async function trainInFolder(started: StartedRun): Promise<TrainRunResult> {
  const { session } = started;
  try {
    const { loop, dataCheck } = await prepare(started);
    const { state, reason, position } = await (started.options.loop ?? trainingLoop)(loop);
    await dataCheck.finished();
    return await end(started, { state, reason, step: position.step }, position.best?.validAccuracy);
  } catch (error) {
    if (error instanceof CancelledError) {
      const reason = 'Stopped before the first step; there is nothing to resume from.';
      return end(started, { state: 'stopped', reason, step: 0 });
    }
    const failed = diskError(error, session.folder.path);
    const step = session.folder.record.progress?.step ?? 0;
    if (failed instanceof UserError && failed.kind === 'weights') {
      session.log(`What was tried: ${messageOf(failed.cause)}`);
      await session.record({ missing: 'weights' }).catch(() => undefined);
    }
    // The disk may be what failed; the failure itself is what has to be told.
    await end(started, { state: 'failed', reason: messageOf(failed), step }).catch(() => undefined);
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
  if (chosen.device !== 'cpu') session.log(`Training with ${chosen.engine.name} ${version} on ${chosen.device}.`);
  const profiler = options.profileSteps === undefined ? undefined : profileRun(started, chosen, options.profileSteps);
  const { environment } = session.folder.record;
  await session.record({
    environment: {
      ...environment,
      engine: chosen.engine.name,
      engineVersion: version,
      device: chosen.device,
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

function refuseContradictions(config: GivenConfig): void {
  const contradiction = contradictionIn(config);
  if (contradiction !== undefined) throw usageError(contradiction);
}

/** Throws a user error where nothing can be trained on the data. Of a split that a run kept, whole classes may be gone. */
function refuseUntrainable(counts: TrainableCounts, kept: RunSplit | undefined): void {
  const classes = kept ? counts.classes.filter(({ train }) => train.found > 0) : counts.classes;
  const reason = whyUntrainable({ ...counts, classes });
  if (reason !== undefined) throw userError(findingText(reason));
}

async function readProfile(folder: string): Promise<Pick<TrainRunResult, 'profile'>> {
  const file = join(folder, runFiles.profile);
  return existsSync(file) ? { profile: runProfileSchema.parse(await readBoundedJson(file, profileLimit)) } : {};
}

/** How a run ends. */
type RunEnd = Pick<TrainingEventOf<'done'>, 'state' | 'reason' | 'step'>;

/** Tells the webhook of the end of a run, and writes it to the run's events and its record. */
async function end(started: StartedRun, how: RunEnd, bestAccuracy?: number): Promise<TrainRunResult> {
  const { session, dataset, options } = started;
  const { state, reason } = how;
  const { best } = session.folder.record;
  const { name } = session.folder;
  const images = dataset.splits.valid.length;
  const score = best && { run: name, accuracy: best.validAccuracy, loss: best.validLoss, of: 'validation' as const };
  const why = await options.webhook?.tell({
    ...{ kind: 'run', name, state, reason },
    ...(score ? { best: { ...score, images } } : {}),
  });
  if (why !== undefined) session.log(why, 'warning');
  return finish(session, how, bestAccuracy);
}

async function finish(session: RunSession, end: RunEnd, bestAccuracy?: number): Promise<TrainRunResult> {
  // No record with a longer one could be read again.
  const reason = end.reason.slice(0, longestSentence);
  const { folder } = session;
  const existing = (file: string) =>
    existsSync(join(folder.checkpoints, file)) ? join(folder.checkpoints, file) : undefined;
  const best = existing(runFiles.best);
  const last = existing(runFiles.last);
  await session.record({ state: end.state, reason });
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

function placesOfWeights({ weights }: TrainRunOptions): Pick<LocateOptions, 'weightsFolder' | 'mirror'> {
  return {
    ...(weights?.folder === undefined ? {} : { weightsFolder: weights.folder }),
    ...(weights?.mirror === undefined ? {} : { mirror: weights.mirror }),
  };
}

/** The file of a network's pretrained weights, fetched where it is not there. */
function locateFor(
  network: string,
  choice: WeightsChoice,
  options: TrainRunOptions,
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

/** The folder to train in, its record saying that this process does. */
async function openFolder(
  config: TrainingConfig,
  { out, name, socket }: TrainRunOptions,
  resumed: ResumedFrom | undefined,
  reopened: RunFolder | undefined,
): Promise<RunFolder> {
  const now = new Date();
  const owner = recordedProcess();
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
    ...(resumed === undefined ? {} : { resumedFrom: resumed.path }),
  };
  if (reopened === undefined) {
    const wanted = name ?? defaultRunName(nameOf(config), config.method);
    return createRunFolder(out, wanted, { ...changes, created: now.toISOString() });
  }
  const afresh = resumed === undefined ? { progress: undefined, best: undefined, resumedFrom: undefined } : {};
  await reopened.update({ ...afresh, ...changes, reason: undefined, missing: undefined });
  return reopened;
}

function stopOnAbort(signal: AbortSignal | undefined, control: TrainingControl): () => void {
  if (signal?.aborted) control.stop();
  signal?.addEventListener('abort', control.stop);
  return () => signal?.removeEventListener('abort', control.stop);
}
