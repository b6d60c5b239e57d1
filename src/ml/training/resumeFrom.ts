import { copyFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { ClassLabel } from '../../protocol/checkpointMetadata.ts';
import { usageError, userError } from '../../protocol/errors.ts';
import type { ResumeState } from '../../protocol/resumeState.ts';
import { runFiles } from '../../protocol/runRecord.ts';
import type { TrainingConfig } from '../../protocol/trainingConfig.ts';
import type { TrainingEvent } from '../../protocol/trainingEvents.ts';
import { someOf } from '../../protocol/someOf.ts';
import { withoutRepeats } from '../../protocol/trainingHistory.ts';
import { resumePath } from '../../runs/checkpointFiles.ts';
import { readCheckpointMetadata } from '../../runs/checkpointHeader.ts';
import { readEvents } from '../../runs/events.ts';
import { runOfCheckpoint } from '../../runs/list.ts';
import type { RunFolder } from '../../runs/runFolder.ts';
import type { TrainingState } from '../engine/engine.ts';
import { momentNames } from '../graph/optimizers.ts';
import { readUsableCheckpoint } from '../inference/usableCheckpoint.ts';
import { applyWeights } from '../weights/applyWeights.ts';
import { type Checkpoint, readResumePoint } from '../weights/checkpoint.ts';
import { stateShapes } from '../weights/stateShapes.ts';
import type { RunNetwork } from './runNetwork.ts';
import { optimizerOf } from './stepper.ts';
import type { Position } from './trainingLoop.ts';

/** A checkpoint that a run goes on from. */
export interface ResumedFrom {
  readonly path: string;
  readonly checkpoint: Checkpoint;
  readonly training: TrainingState;
  readonly resume: ResumeState;
}

/** Reads a checkpoint and the file beside it. Throws a user error where they cannot be resumed. */
export async function readResumed(checkpoint: string): Promise<ResumedFrom> {
  const path = resolve(checkpoint);
  const read = await readUsableCheckpoint(path);
  const { optimizer, resume } = await readResumePoint(path, read.state);
  return { path, checkpoint: read, training: { state: read.state, optimizer, step: resume.step }, resume };
}

/** The folder of the run in which a resume goes on by itself: that of its last checkpoint. */
export async function folderToGoOnIn(checkpoint: string): Promise<string | undefined> {
  const path = resolve(checkpoint);
  return basename(path) === runFiles.last ? runOfCheckpoint(path) : undefined;
}

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

/** Settings that say what the saved weights, moments and place in the epoch mean, so that a resume cannot change them. */
const fixed = [
  'method',
  'topTensors',
  'hidden',
  'optimizer',
  'batchSize',
  'seed',
  'imageSize',
  'batchNorm',
] as const satisfies readonly (keyof TrainingConfig)[];

/** Throws a usage error where a run cannot go on under `config`, and says why. */
export function checkResumable({ path, resume, checkpoint }: ResumedFrom, config: TrainingConfig): void {
  for (const setting of fixed) {
    const before = JSON.stringify(resume.config[setting] ?? 'default');
    const now = JSON.stringify(config[setting] ?? 'default');
    if (before === now) continue;
    throw usageError(
      `${path} was trained with ${setting} ${before} and cannot go on with ${now}: leave it as it was, or start a new run with these weights.`,
    );
  }
  const { network } = checkpoint.metadata;
  const same =
    network.kind === 'architecture'
      ? config.network.kind === 'architecture' && config.network.name === network.name
      : config.network.kind === 'backbone';
  if (!same) throw usageError(`${path} belongs to another network than the one to be trained: name the same one.`);
}

/**
 * What training goes on with, in the network that is to be trained. Throws a user error where the weights are not that
 * network's, or a moment of a parameter that trains is missing.
 */
export function resumedState(
  { path, training }: ResumedFrom,
  network: RunNetwork,
  config: TrainingConfig,
): TrainingState {
  const state = applyWeights(stateShapes(network.whole(1)), training.state, { source: path });
  const missing = [...network.trainable]
    .flatMap((parameter) => momentNames(optimizerOf(config), parameter))
    .filter((name) => training.step > 0 && !training.optimizer.has(name));
  if (missing.length > 0) {
    throw userError(
      `${resumePath(path)} lacks ${someOf(missing)} of the optimizer’s state: resume from another checkpoint of the run.`,
    );
  }
  return { ...training, state };
}

/** Throws a user error where the ONNX file is not the one that the checkpoint's head was trained on. */
export function checkBackbone({ path, checkpoint }: ResumedFrom, sha256: string | undefined): void {
  const { network } = checkpoint.metadata;
  if (network.kind === 'architecture' || network.sha256 === sha256) return;
  throw userError(`${path} was trained on another version of the backbone: name the file that it was trained on.`);
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
 * Brings into a new folder what a resumed run has behind it: the curves up to the checkpoint, and the best checkpoint.
 * Returns the best that the new run has to beat; none where its file is not there any more.
 */
export async function carryOver({ path, resume }: ResumedFrom, folder: RunFolder): Promise<Position['best']> {
  const from = await runOfCheckpoint(path);
  if (from !== undefined) {
    const events: TrainingEvent[] = [];
    for await (const part of readEvents(from)) events.push(...part.events);
    for (const event of withoutRepeats(events)) {
      const isCurve = event.event === 'step' || event.event === 'validation' || event.event === 'pinned';
      if (isCurve && event.step <= resume.step) folder.append(event);
    }
  }
  const { best } = resume;
  const file = join(dirname(path), runFiles.best);
  const metadata = best && (await readCheckpointMetadata(file).catch(() => undefined));
  if (metadata?.training.step !== best?.step) return undefined;
  const target = join(folder.checkpoints, runFiles.best);
  await copyFile(resumePath(file), resumePath(target));
  await copyFile(file, target);
  return best;
}
