import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { ClassLabel } from '../../../protocol/checkpointMetadata.ts';
import { newContradiction } from '../../../protocol/contradictions.ts';
import { usageError, UserError, userError } from '../../../protocol/errors.ts';
import type { ResumeState } from '../../../protocol/resumeState.ts';
import { runFiles } from '../../../protocol/runRecord.ts';
import { adapterOptionsOf, type TrainingConfig } from '../../../protocol/trainingConfig.ts';
import { someOf } from '../../../protocol/someOf.ts';
import { copyAtomically, repeatAtomically } from '../../../runs/atomicFile.ts';
import { checkpointMetadataIn, checkpointPath, resumePath, sweepResumeFiles } from '../../../runs/checkpointFiles.ts';
import { readCurve } from '../../../runs/events.ts';
import { runOfCheckpoint } from '../../../runs/list.ts';
import { readRunRecord } from '../../../runs/record.ts';
import type { RunFolder } from '../../../runs/runFolder.ts';
import type { TrainingState } from '../../engine/engine.ts';
import { momentNames } from '../../operators/optimizer/optimizer.ts';
import { readUsableCheckpoint } from '../../inference/usableCheckpoint.ts';
import { applyWeights } from '../../weights/applyWeights.ts';
import { adapterShapes } from '../../passes/lowRankAdapters.ts';
import { type Checkpoint, type PartsOf, readResumePoint } from '../../weights/checkpoint.ts';
import { isSameNetwork, type Network } from '../../networks/network.ts';
import { stateShapes } from '../../networks/stateShapes.ts';
import { fixedSettings, withMeanings } from './resumeSettings.ts';
import { preprocessingOf, type RunNetwork } from './runNetwork.ts';
import type { LearningPlan } from '../loop/learningPlan.ts';
import { optimizerOf } from '../loop/stepper.ts';
import type { Position } from '../loop/position.ts';

/** A checkpoint that a run goes on from. */
export interface ResumedFrom {
  readonly path: string;
  readonly checkpoint: Pick<Checkpoint, 'metadata'>;
  /** Hands over weights and moments, once: from then on they are there for as long as somebody else holds them. */
  readonly takeTraining: () => TrainingState;
  readonly resume: ResumeState;
}

/** What a user means by going on: a run as a whole, or one of its checkpoints. */
export interface ResumeRequest {
  /** Folder of the run to go on in; undefined where a new one is to be made. */
  readonly inPlace: string | undefined;
  /** Checkpoints to go on from, the first that can be. None where a run ended before its first: it begins again. */
  readonly checkpoints: readonly string[];
}

/**
 * What `path` means: the folder of a run or its last checkpoint, that the run goes on in its folder; any other checkpoint,
 * that a new run begins with it. A run that is to have a name of its own (`named`) is always a new one. Throws a user
 * error where there is neither.
 */
export async function resumeRequest(path: string, named: boolean): Promise<ResumeRequest> {
  const place = resolve(path);
  const status = await stat(place).catch(() => undefined);
  if (status === undefined)
    throw userError(`There is no run and no checkpoint ${place}: fivecrop runs lists what there is.`);
  if (!status.isDirectory()) {
    const run = basename(place) === runFiles.last && !named ? await runOfCheckpoint(place) : undefined;
    return { inPlace: run, checkpoints: [place] };
  }
  const { name } = await readRunRecord(place);
  const files = [runFiles.last, runFiles.best].map((file) => join(place, runFiles.checkpoints, file));
  const checkpoints = files.filter((file) => existsSync(file));
  if (named && checkpoints.length === 0) {
    throw userError(
      `${name} has saved no checkpoint that a run of another name could begin with: leave out --name to start it again.`,
    );
  }
  return { inPlace: named ? undefined : place, checkpoints };
}

/**
 * Reads the first checkpoint that can be resumed, with what that needs besides. Undefined where there are none; where none
 * can be, throws the user error of the first. `log` hears of those that are passed over.
 */
export async function readResumed(
  checkpoints: readonly string[],
  log: (message: string) => void,
): Promise<ResumedFrom | undefined> {
  const failures: string[] = [];
  for (const path of checkpoints) {
    try {
      const checkpoint = await readUsableCheckpoint(path);
      const { optimizer, resume } = await readResumePoint(path, checkpoint, partsOfAdapted);
      if (failures.length > 0) log(`${failures.join(' ')} The run continues from ${path} instead.`);
      const training = { state: checkpoint.state, optimizer, step: resume.step };
      return { path, checkpoint: { metadata: checkpoint.metadata }, takeTraining: handedOver(training), resume };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      failures.push(error.message);
    }
  }
  if (failures[0] !== undefined) throw userError(failures[0]);
  return undefined;
}

/** A value that whoever asks for it gets, and nobody after that. */
function handedOver<Value>(value: Value): () => Value {
  let held: Value | undefined = value;
  return () => {
    const given = held;
    held = undefined;
    if (given === undefined) throw new Error('it was handed over before');
    return given;
  };
}

const partsOfAdapted: PartsOf = ({ config }, state, names) => {
  const known = [...names];
  // Beside averages of the weights lie the weights themselves.
  const weights = known.flatMap((name) => {
    const shape = config.emaDecay === undefined ? undefined : state.get(name)?.shape;
    return shape ? [[name, shape] as const] : [];
  });
  const adapters = config.method === 'lora' ? adapterShapes(known, state, adapterOptionsOf(config).rank) : [];
  return new Map([...weights, ...adapters]);
};

/** Where the loop begins after a resume. */
export function positionOf({
  step,
  epoch,
  batchInEpoch,
  trainLoss,
  earlyStop,
  best,
  measuredOn,
}: ResumeState): Position {
  return {
    step,
    epoch,
    batchInEpoch,
    trainLoss: { ...trainLoss },
    earlyStop: { bestLoss: earlyStop.bestLoss, epochsWithoutBetter: earlyStop.epochsWithoutBetter },
    best,
    measuredOn,
  };
}

/** Throws a usage error where a run cannot go on under `config`, and says why. */
export function checkResumable(
  { path, resume, checkpoint }: ResumedFrom,
  config: TrainingConfig,
  network: Network,
): void {
  const contradiction = newContradiction(config, resume.config);
  if (contradiction !== undefined) throw usageError(contradiction);
  const sizes = [checkpoint.metadata.preprocessing.crop, preprocessingOf(config, network.images).crop];
  const [was, is] = [withMeanings(resume.config), withMeanings(config)];
  const settings = fixedSettings.map((setting) => [setting, was[setting], is[setting]] as const);
  for (const [setting, ...values] of [...settings, ['imageSize', ...sizes] as const]) {
    const [before = '', now = ''] = values.map((value) => JSON.stringify(value ?? 'default'));
    if (before === now) continue;
    throw usageError(
      `${path} was trained with ${setting} ${before} and cannot continue with ${now}: leave it as it was, or start a new run with these weights.`,
    );
  }
  const done = resume.epoch + (resume.batchInEpoch > 0 ? 1 : 0);
  if (config.epochs < done) {
    const begun = resume.batchInEpoch > 0 ? `is in epoch ${done}` : `has done ${done} epochs`;
    throw usageError(
      `${path} ${begun}, so ${config.epochs === 1 ? 'one epoch leaves' : `${config.epochs} epochs leave`} nothing to train: ask for ${done} or more (--epochs).`,
    );
  }
  if (isSameNetwork(checkpoint.metadata.network, network.reference)) return;
  throw usageError(
    `${path} was trained on another network, or on another version of its file, than is to be trained now: name the same one.`,
  );
}

/**
 * What training goes on with, in the network that is to be trained. Throws a user error where the weights are not that
 * network's, or a moment of a parameter that trains is missing.
 */
export function resumedState(
  { path, checkpoint, takeTraining, resume }: ResumedFrom,
  network: RunNetwork,
  config: TrainingConfig,
  plan: LearningPlan,
): TrainingState {
  const training = takeTraining();
  const shapes = stateShapes(network.whole(1));
  // What the checkpoint's weights have adapters in lies beside it without them.
  const parts = [...training.optimizer].filter(([name]) => shapes.has(name));
  const optimizer = new Map([...training.optimizer].filter(([name]) => !shapes.has(name)));
  const state = applyWeights(shapes, new Map([...training.state, ...parts]), { source: path });
  const trained = plan.trainableAt(resume.batchInEpoch > 0 ? resume.epoch : resume.epoch - 1);
  const missing = [...trained]
    .flatMap((parameter) => momentNames(optimizerOf(config), parameter))
    .filter((name) => training.step > 0 && !optimizer.has(name));
  if (missing.length > 0) {
    throw userError(
      `${resumePath(path, checkpoint.metadata)} lacks ${someOf(missing)} of the optimizer’s state: resume from another checkpoint of the run.`,
    );
  }
  return { ...training, optimizer, state };
}

/** Throws a usage error where the data's classes are not those of the checkpoint. */
export function checkClasses({ path, checkpoint }: ResumedFrom, classes: readonly ClassLabel[]): void {
  const folders = (labels: readonly ClassLabel[]) => labels.map(({ folder }) => folder).join('\n');
  if (folders(checkpoint.metadata.classes) === folders(classes)) return;
  throw usageError(
    `The class folders of the data are not those that ${path} was trained on: use the same data, or start a new run.`,
  );
}

/**
 * Makes good what a crash kept from being written after the last checkpoint: that it is the best too, or that of an epoch.
 * Returns the best that the run has to beat; none where its file is not there any more.
 */
export async function restoreCheckpoints({ path, resume }: ResumedFrom, folder: RunFolder): Promise<Position['best']> {
  const { best, step, epoch, batchInEpoch, config } = resume;
  const { checkpoints } = folder;
  const ofEpoch = checkpointPath(checkpoints, 'epoch', epoch);
  const endsEpoch = config.keepEpochs && epoch > 0 && batchInEpoch === 0;
  if (endsEpoch && !existsSync(ofEpoch)) await repeatAtomically(ofEpoch, path);
  if (best === undefined) return undefined;
  const file = join(checkpoints, runFiles.best);
  const present = (await checkpointMetadataIn(file))?.training.step;
  if (best.step !== step || present === step) return present === undefined ? undefined : best;
  await repeatAtomically(file, path);
  // What a resume from the best that was replaced needs is named by nobody any more.
  await sweepResumeFiles(checkpoints);
  return best;
}

/**
 * Brings into a new folder what a resumed run has behind it: the curves up to the checkpoint, and the best checkpoint.
 * Returns the best that the new run has to beat; none where its file is not there any more.
 */
export async function carryOver({ path, resume }: ResumedFrom, folder: RunFolder): Promise<Position['best']> {
  const from = await runOfCheckpoint(path);
  if (from !== undefined) {
    for await (const events of readCurve(from, resume.step)) folder.append(...events);
  }
  const { best } = resume;
  const file = join(dirname(path), runFiles.best);
  const metadata = best && (await checkpointMetadataIn(file));
  if (metadata === undefined || metadata.training.step !== best?.step) return undefined;
  const target = join(folder.checkpoints, runFiles.best);
  await copyAtomically(resumePath(target, metadata), resumePath(file, metadata));
  await copyAtomically(target, file);
  return best;
}
