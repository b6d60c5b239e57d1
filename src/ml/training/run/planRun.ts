import { findingText } from '../../../protocol/dataReport.ts';
import { contradictionIn } from '../../../protocol/contradictions.ts';
import { usageError, userError } from '../../../protocol/errors.ts';
import { gaveWay } from '../../../protocol/recipes.ts';
import type { RunSplit } from '../../../protocol/runSplit.ts';
import type { GivenConfig, TrainingConfig } from '../../../protocol/trainingConfig.ts';
import { batchCount } from '../../data/loader.ts';
import { readKeptSplit } from '../../data/readKeptSplit.ts';
import { type Dataset, scanDataset, scanOptionsOf } from '../../data/scanDataset.ts';
import { countsOf, type TrainableCounts, whyUntrainable } from '../../data/whyUntrainable.ts';
import type { LocateOptions } from '../../weights/weightsPlaces.ts';
import { chooseSteps, keepSteps } from './chooseSteps.ts';
import { hasNetworkDropout, lacksNetworkDropout } from './networkDropout.ts';
import { type NetworkToTrain, openNetwork } from './openNetwork.ts';
import { refuseNeedless } from './refuseNeedless.ts';
import { resumeChanges, withPixels } from './resumeChanges.ts';
import { checkClasses, checkResumable, readResumed, type ResumedFrom, type ResumeRequest } from './resumeFrom.ts';
import { preprocessingOf, runNetwork } from './runNetwork.ts';
import { settleNetwork } from './settleNetwork.ts';
import { notesOfOldRun, type ResumedSplit, splitOfResumed } from './splitOfResumed.ts';

/** A run that can be trained, before anything of it is written. */
export interface RunPlan {
  readonly config: TrainingConfig;
  readonly opened: NetworkToTrain;
  readonly dataset: Dataset;
  /** What a resumed run kept; it is drawn for a new one. */
  readonly split?: RunSplit;
  /** Whether it lies in the folder of the run already. */
  readonly splitIsKept: boolean;
  readonly resumed?: ResumedFrom;
  /** Whether the dropout of the network itself takes part. */
  readonly networkDropout: boolean;
  /** What the run's log has to say first. */
  readonly notes: readonly { readonly level: 'warning' | 'info'; readonly message: string }[];
}

export interface PlanOptions {
  /** Where pretrained weights are kept and fetched from; the weights room's defaults without it. */
  readonly weights?: { readonly folder?: string; readonly mirror?: string };
  readonly signal?: AbortSignal;
}

/** Reads the network, the data and what is resumed. Throws a usage or a user error for what cannot be trained. */
export async function planRun(given: GivenConfig, options: PlanOptions, request?: ResumeRequest): Promise<RunPlan> {
  const notes: string[] = [];
  const suggestions: string[] = [];
  const resumed = request && (await readResumed(request.checkpoints, (message) => notes.push(message)));
  if (!resumed) refuseContradictions(given);
  const { signal } = options;
  const named = await settleNetwork(given, resumed, { ...placesOfWeights(options), ...(signal ? { signal } : {}) });
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
  const changes = resumed && changesOf(resumed, config, opened, dataset);
  const warnings = [...notes, ...differences, ...(changes === undefined ? [] : [changes])];
  return {
    ...{ config, opened, dataset, splitIsKept, networkDropout },
    ...(resumed ? { resumed } : {}),
    ...(split ? { split } : {}),
    notes: [
      ...warnings.map((message) => ({ level: 'warning' as const, message })),
      ...suggestions.map((message) => ({ level: 'info' as const, message })),
    ],
  };
}

function changesOf(
  { resume, checkpoint }: ResumedFrom,
  config: TrainingConfig,
  { network }: NetworkToTrain,
  { splits }: Dataset,
): string | undefined {
  const stepsPerEpoch = batchCount(splits.train.length, config.batchSize);
  return resumeChanges(
    withPixels(resume.config, checkpoint.metadata.preprocessing),
    withPixels(config, preprocessingOf(config, network.images)),
    { step: resume.step, stepsPerEpoch },
  );
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

function refuseContradictions(config: GivenConfig): void {
  const contradiction = contradictionIn(config);
  if (contradiction !== undefined) throw usageError(contradiction);
}

/** Throws a user error where nothing can be trained on the data. Of a split that a run kept, whole classes may be gone. */
export function refuseUntrainable(counts: TrainableCounts, kept: RunSplit | undefined): void {
  const classes = kept ? counts.classes.filter(({ train }) => train.found > 0) : counts.classes;
  const reason = whyUntrainable({ ...counts, classes });
  if (reason !== undefined) throw userError(findingText(reason));
}

export function placesOfWeights({ weights }: PlanOptions): Pick<LocateOptions, 'weightsFolder' | 'mirror'> {
  return {
    ...(weights?.folder === undefined ? {} : { weightsFolder: weights.folder }),
    ...(weights?.mirror === undefined ? {} : { mirror: weights.mirror }),
  };
}
