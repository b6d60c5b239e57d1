import { type CheckpointMetadata, checkpointVersion } from '../../../protocol/checkpointMetadata.ts';
import { userError } from '../../../protocol/errors.ts';
import { type ResumeState, resumeStateVersion } from '../../../protocol/resumeState.ts';
import { repeatAtomically } from '../../../runs/atomicFile.ts';
import { checkpointPath, type CheckpointKind } from '../../../runs/checkpointFiles.ts';
import { adapterOptionsOf } from '../../../protocol/trainingConfig.ts';
import type { TrainingState } from '../../engine/engine.ts';
import type { StateDict } from '../../graph/tensor.ts';
import { usedWeights, weightsBehindAverages } from '../loop/stepper.ts';
import { mergeAdapters } from '../../passes/lowRankAdapters.ts';
import { type ResumePoint, writeCheckpoint } from '../../weights/checkpoint.ts';

/** What every checkpoint of a run says of itself. */
export type RunFacts = Pick<CheckpointMetadata, 'network' | 'head' | 'classes' | 'preprocessing' | 'split'> & {
  readonly training: Omit<CheckpointMetadata['training'], 'step' | 'epoch'>;
};

/** What is saved. */
export interface Moment {
  readonly training: TrainingState;
  readonly resume: Omit<ResumeState, 'version'>;
  /** Epochs done, with the fraction of the present one. */
  readonly epoch: number;
  /** Figures of a validation at this very step. */
  readonly metrics: CheckpointMetadata['metrics'];
}

/**
 * Writes a moment with all that an exact resume needs, once, under a name for each kind in turn; `saved` hears of each
 * path. Throws a user error where the disk refuses, and where a weight is no number any more, so that a good checkpoint is never replaced by a broken one.
 */
export async function saveCheckpoints(
  folder: string,
  kinds: readonly CheckpointKind[],
  facts: RunFacts,
  { training, resume, epoch, metrics }: Moment,
  saved: (kind: CheckpointKind, path: string) => void,
): Promise<void> {
  const broken = firstNotFinite(training.state);
  if (broken !== undefined) throw diverged(`The tensor ${broken} holds NaN or infinity after step ${resume.step}`);
  const metadata: CheckpointMetadata = {
    version: checkpointVersion,
    ...facts,
    training: { ...facts.training, step: resume.step, epoch },
    metrics,
    created: new Date().toISOString(),
  };
  const { merged, parts } = await mergeAdapters(usedWeights(training), adapterOptionsOf(resume.config));
  const resumePoint: ResumePoint = {
    optimizer: new Map([...training.optimizer, ...parts, ...weightsBehindAverages(training)]),
    resume: { version: resumeStateVersion, ...resume },
  };
  let written: string | undefined;
  for (const kind of kinds) {
    const path = checkpointPath(folder, kind, epoch);
    if (written === undefined) await writeCheckpoint(path, merged, metadata, resumePoint);
    else await repeatAtomically(path, written);
    written ??= path;
    saved(kind, path);
  }
}

function firstNotFinite(state: StateDict): string | undefined {
  for (const [name, { dtype, data }] of state) {
    if (dtype === 'float32' && !data.every(Number.isFinite)) return name;
  }
  return undefined;
}

/** The run cannot go on because its numbers ran away. */
export class DivergedError extends Error {
  override readonly name = 'DivergedError';
}

/** `what` begins the sentence. The cause marks it, so that nothing is saved any more. */
export function diverged(what: string): Error {
  return userError(
    `${what}: the training diverged. Use a smaller learning rate, or limit the gradients with clipNorm (--clip-norm); the last good checkpoint is kept.`,
    new DivergedError(what),
  );
}

/** Whether a failure means that the present weights are of no use. */
export function isDiverged(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof DivergedError;
}
