import { resolve } from 'node:path';
import type { ClassLabel } from '../../protocol/checkpointMetadata.ts';
import { findingText, splitNames, type SplitName } from '../../protocol/dataReport.ts';
import { usageError, userError } from '../../protocol/errors.ts';
import type { Evaluation } from '../../protocol/evaluation.ts';
import type { Layout } from '../../protocol/trainingConfig.ts';
import { plural } from '../../protocol/plural.ts';
import { runOfCheckpoint } from '../../runs/list.ts';
import { readRunRecord } from '../../runs/record.ts';
import { digestAlone, samplesOf } from '../data/digestImages.ts';
import type { KeptSplit } from '../data/keptSplit.ts';
import { matchImages, type MatchedImages } from '../data/matchImages.ts';
import { readKeptSplit, type SplitOfCheckpoint } from '../data/readKeptSplit.ts';
import { sameFolder } from '../../runs/sameFolder.ts';
import {
  otherClassesNote,
  scanDataset,
  scanOptionsOf,
  unknownClasses,
  type Dataset,
  type Sample,
} from '../data/scanDataset.ts';
import type { SplitShares } from '../data/stratifiedSplit.ts';

export interface TestRequest {
  readonly checkpoint: string;
  /** Whether that is a file of others, which does not say what it was trained on. */
  readonly isForeign?: boolean;
  /** The folder to test on. */
  readonly data: string;
  readonly split: SplitName;
  /** The checkpoint's classes. */
  readonly classes: readonly ClassLabel[];
  readonly layout?: Layout;
  /** How a folder of classes is to be split, where that was asked for. */
  readonly shares?: Partial<SplitShares>;
  /** Ends the look at the images, which takes a while where there are many. */
  readonly signal?: AbortSignal;
}

export interface TestImages {
  /** Absolute path of the folder. */
  readonly root: string;
  readonly samples: readonly Sample[];
  /** How the images were chosen, for the result. */
  readonly selection: NonNullable<Evaluation['selection']>;
}

const defaultShares: SplitShares = { seed: 0, validShare: 0.15, testShare: 0.15 };

/**
 * Chooses the images of a folder that a checkpoint is tested on, so that none that its run trained on is counted as a
 * validation or test image. On the run's own data, wherever that lies by now, they are those of the split that the run
 * drew; on any other folder they are the folder's own split, or all where it has none. What was left out and what is not
 * known is in `selection.notes`. Throws a user error where nothing is left to test on, a usage error for shares that
 * contradict the run's, a cancellation once `signal` is aborted, and as `scanDataset` does.
 */
export async function imagesToTest(request: TestRequest): Promise<TestImages> {
  const kept = request.isForeign === true ? undefined : await readKeptSplit(request.checkpoint);
  return kept ? withSplit(request, kept) : withoutSplit(request);
}

async function withSplit(
  request: TestRequest,
  { split: kept, notes: ofReading }: SplitOfCheckpoint,
): Promise<TestImages> {
  const { split } = request;
  const plain = { validShare: 0, testShare: 0, seed: 0 };
  const dataset = await scan(request, request.shares ? { ...kept, ...request.shares } : plain, kept.splitBy);
  const matched = matchImages(dataset, kept, await digestAlone(dataset, request.signal));
  if (matched.isOwn) refuseOtherShares(request, kept);
  else refuseOtherClasses(dataset);
  const byFolders = dataset.splitBy === 'folders';
  const fromRun = matched.isOwn && !(byFolders && split === 'test');
  const offered = fromRun ? matched.splits[split] : offeredBy(dataset, request);
  const { samples, taken } = withoutSeen(offered, split, matched);
  const chosenBy = matched.isOwn ? 'run' : byFolders ? 'folders' : request.shares ? 'shares' : 'all';
  const notes = [
    ...ofReading,
    ...(matched.isOwn ? ownNotes(dataset, kept, matched, split) : [foreignNote(dataset, samples, chosenBy, split)]),
    ...takenNotes(taken, split, matched),
  ];
  if (samples.length === 0) throw nothingToTest(dataset, split, taken.length > 0, matched);
  const selection = { chosenBy, knowsTraining: true, alreadyUsed: taken.length, notes } as const;
  return finished(dataset, samples, selection);
}

/** A checkpoint from before splits were kept, or of another program. */
async function withoutSplit(request: TestRequest): Promise<TestImages> {
  const { checkpoint, split, shares } = request;
  const run = await runOfCheckpoint(checkpoint);
  const record = run === undefined ? undefined : await readRunRecord(run);
  const isOwn = record !== undefined && sameFolder(resolve(request.data), record.data?.data ?? record.config.data);
  if (isOwn && !shares) {
    const { classes, layout } = request;
    const options = { ...scanOptionsOf(record.config), classes, ...(layout === undefined ? {} : { layout }) };
    const dataset = await scanDataset(request.data, options);
    const samples = dataset.splits[split];
    if (samples.length === 0) throw nothingIn(dataset, split);
    return finished(dataset, samples, { chosenBy: 'drawn', knowsTraining: false, alreadyUsed: 0, notes: [drawnNote(dataset, record.data?.images)] }); // prettier-ignore
  }
  const dataset = await scan(request, { ...defaultShares, ...shares });
  if (!isOwn) refuseOtherClasses(dataset);
  const chosenBy = dataset.splitBy === 'folders' ? 'folders' : shares ? 'shares' : 'all';
  const samples = offeredBy(dataset, request);
  if (samples.length === 0) throw nothingIn(dataset, split);
  const notes = [
    'The checkpoint does not say which images it was trained on, so some of those that are tested may be among them.',
    ...(chosenBy === 'all' ? [`All ${samples.length} images of ${dataset.root} are tested.`] : []),
  ];
  return finished(dataset, samples, { chosenBy, knowsTraining: false, alreadyUsed: 0, notes });
}

function scan(
  { data, classes, layout }: TestRequest,
  { seed, validShare, testShare }: SplitShares,
  splitBy?: Dataset['splitBy'],
): Promise<Dataset> {
  return scanDataset(data, { seed, validShare, testShare, classes, layout: layout ?? 'auto', keptSplitBy: splitBy });
}

/** What a folder itself offers for a split: its own, the drawn one where that was asked for, or everything. */
function offeredBy(dataset: Dataset, { split, shares }: TestRequest): readonly Sample[] {
  if (dataset.splitBy === 'folders' || shares) return dataset.splits[split];
  if (split === 'test') return samplesOf(dataset);
  throw userError(
    `${dataset.root} has no splits, so none of its images are known to be for ${split}; take --split test for all of them.`,
  );
}

/** Leaves out what the run used for an earlier purpose: to learn from, or to choose its best checkpoint by. */
function withoutSeen(offered: readonly Sample[], split: SplitName, { firstUseOf }: MatchedImages) {
  const used = (sample: Sample) => {
    const own = firstUseOf(sample);
    return own !== undefined && splitNames.indexOf(own) < splitNames.indexOf(split);
  };
  return { samples: offered.filter((sample) => !used(sample)), taken: offered.filter(used) };
}

/** The classes of another folder than the run's must all be known: no figure could count the others. */
function refuseOtherClasses(dataset: Dataset): void {
  if (dataset.otherImages > 0) throw unknownClasses(dataset);
}

function refuseOtherShares({ shares }: TestRequest, kept: KeptSplit): void {
  const other = (['seed', 'validShare', 'testShare'] as const).find(
    (name) => shares?.[name] !== undefined && shares[name] !== kept[name],
  );
  if (other === undefined) return;
  throw usageError(
    `The run drew its split with ${other} ${kept[other]}, not ${shares?.[other] ?? ''}: leave out --seed, --valid-share and --test-share to test on the run’s own split.`,
  );
}

function ownNotes(dataset: Dataset, kept: KeptSplit, matched: MatchedImages, split: SplitName): string[] {
  const notes: string[] = [];
  if (!sameFolder(dataset.root, kept.data)) {
    notes.push(`${dataset.root} has the images that the run was trained on, so its own split is tested.`);
  }
  const unused = dataset.splitBy === 'folders' && split === 'test' ? 0 : matched.unknown.length;
  if (unused > 0) {
    notes.push(`${plural(unused, 'image')} came after the run began, ${unused === 1 ? 'is' : 'are'} in none of its splits and ${unused === 1 ? 'is' : 'are'} not tested; test them in a folder of their own.`); // prettier-ignore
  }
  const gone = matched.gone[split];
  if (gone > 0) notes.push(`${plural(gone, 'image')} of the run’s ${split} split ${gone === 1 ? 'is' : 'are'} gone.`);
  return notes;
}

function foreignNote(dataset: Dataset, samples: readonly Sample[], chosenBy: string, split: SplitName): string {
  const what = { folders: `the images of its own ${split} split`, shares: `the ${split} images that the flags draw` }[chosenBy]; // prettier-ignore
  return `${dataset.root} is not the data of the run: ${what ?? 'all its images'} (${samples.length}) are tested.`;
}

function takenNotes(taken: readonly Sample[], split: SplitName, { firstUseOf }: MatchedImages): string[] {
  if (taken.length === 0) return [];
  const trained = taken.filter((sample) => firstUseOf(sample) === 'train').length;
  const chosen = taken.length - trained;
  const parts = [
    ...(trained > 0 ? [`${plural(trained, 'image')} that the run trained on`] : []),
    ...(chosen > 0 ? [`${plural(chosen, 'image')} by which it chose its best checkpoint`] : []),
  ];
  return [`${parts.join(' and ')} ${taken.length === 1 ? 'is' : 'are'} left out of ${split}.`];
}

function drawnNote(dataset: Dataset, before: Record<SplitName, number> | undefined): string {
  const now = splitNames.map((name) => dataset.splits[name].length).join(', ');
  const then = before && splitNames.map((name) => before[name]).join(', ');
  const changed =
    then === undefined || then === now
      ? 'it is the same as long as the folder is'
      : `the folder has changed since (train, valid and test had ${then} images and have ${now}), so some tested images may have been trained on`;
  return `The run is from before splits were kept, so its split is drawn again by its seed; ${changed}.`;
}

function nothingToTest(dataset: Dataset, split: SplitName, allUsed: boolean, matched: MatchedImages): Error {
  const { root } = dataset;
  if (!allUsed) return nothingIn({ root, splits: (matched.isOwn ? matched : dataset).splits }, split);
  return userError(`All images of ${root} that could be tested in ${split} were used by the run; give other images.`);
}

function nothingIn({ root, splits }: Pick<Dataset, 'root' | 'splits'>, split: SplitName): Error {
  const filled = splitNames.filter((name) => splits[name].length > 0).join(' or ');
  const hint = filled === '' ? 'give a folder that has some' : `choose ${filled} (--split)`;
  return userError(`${root} has no images in ${split}; ${hint}.`);
}

function finished(dataset: Dataset, samples: readonly Sample[], selection: TestImages['selection']): TestImages {
  const left = dataset.withoutClass.length;
  const notes = [
    ...dataset.notes.map(findingText),
    ...otherClassesNote(dataset),
    ...(left > 0 ? [`${plural(left, 'image')} in no class folder ${left === 1 ? 'is' : 'are'} left out.`] : []),
  ];
  return { root: dataset.root, samples, selection: { ...selection, notes: [...selection.notes, ...notes] } };
}
