import { splitNames } from '../../../protocol/dataReport.ts';
import { usageError } from '../../../protocol/errors.ts';
import { someOf } from '../../../protocol/someOf.ts';
import type { RunSplit } from '../../../protocol/runSplit.ts';
import { readRunRecord } from '../../../runs/record.ts';
import { runOfCheckpoint } from '../../../runs/list.ts';
import { digestAlone } from '../../data/digestImages.ts';
import { drawnSplit } from '../../data/keptSplit.ts';
import { matchImages, type MatchedImages } from '../../data/matchImages.ts';
import type { SplitOfCheckpoint } from '../../data/readKeptSplit.ts';
import { type Dataset, otherClassesNote } from '../../data/scanDataset.ts';

/** What a resumed run trains and validates on. */
export interface ResumedSplit {
  readonly dataset: Dataset;
  /** What the run's folder keeps, and whether it has that already. */
  readonly split: RunSplit;
  readonly splitIsKept: boolean;
  /** What is different from before, in sentences. */
  readonly notes: readonly string[];
}

/**
 * Puts the images of a scanned folder into the splits that a run drew. What came later is left out, what is gone is
 * counted. Throws a usage error where the folder is not the run's data.
 */
export async function splitOfResumed(
  scanned: Dataset,
  { split: kept, whole, notes }: SplitOfCheckpoint,
): Promise<ResumedSplit> {
  const digests = await digestAlone(scanned);
  const matched = matchImages(scanned, kept, digests);
  if (!matched.isOwn) {
    throw usageError(
      `${scanned.root} is not the data that the run was trained on: name that folder, or start a new run with these weights (--weights).`,
    );
  }
  const dataset: Dataset = { ...scanned, splitBy: kept.splitBy, splits: matched.splits };
  // A header has no paths; what is gone by now is gone.
  const split = whole ?? drawnSplit(dataset, kept, digests);
  return {
    dataset,
    split,
    splitIsKept: whole !== undefined,
    notes: [...notes, ...otherClassesNote(scanned), ...differences(matched), ...emptyClasses(dataset)],
  };
}

function differences({ unknown, gone }: MatchedImages): string[] {
  const came =
    unknown.length === 0
      ? []
      : [
          `${unknown.length} ${unknown.length === 1 ? 'image' : 'images'} came after the run began and ${unknown.length === 1 ? 'is' : 'are'} left out; start a new run to train on all.`,
        ];
  const missing = splitNames.filter((name) => gone[name] > 0).map((name) => `${gone[name]} of ${name}`);
  return missing.length === 0
    ? came
    : [...came, `Images of the run are gone and cannot be used: ${missing.join(', ')}.`];
}

/** A class of the run that has lost all its images is learned no more. */
function emptyClasses({ classes, splits }: Dataset): string[] {
  const trained = new Set(splits.train.map(({ classIndex }) => classIndex));
  const empty = classes.filter((_, at) => !trained.has(at)).map(({ folder }) => folder);
  if (empty.length === 0) return [];
  const what = empty.length === 1 ? '1 class' : `${empty.length} classes`;
  return [`No train images are left of ${what} (${someOf(empty)}), so the run forgets what it learned there; put them back.`]; // prettier-ignore
}

/**
 * What is different for a run from before splits were kept, whose split is drawn again: nothing as long as the folder has
 * as many images as then.
 */
export async function notesOfOldRun(checkpoint: string, { splits }: Dataset): Promise<readonly string[]> {
  const run = await runOfCheckpoint(checkpoint);
  const before = run === undefined ? undefined : (await readRunRecord(run)).data?.images;
  if (before && splitNames.every((name) => before[name] === splits[name].length)) return [];
  const then = before && splitNames.map((name) => before[name]).join(', ');
  const now = splitNames.map((name) => splits[name].length).join(', ');
  const changed = then === undefined ? '' : ` The folder has changed since: train, valid and test had ${then} images and have ${now}.`; // prettier-ignore
  return [
    `The run is from before splits were kept, so its split is drawn again: images that it trained on may be in validation now.${changed}`,
  ];
}
