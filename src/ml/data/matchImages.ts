import { splitNames, type SplitName } from '../../protocol/dataReport.ts';
import { samplesOf, type DigestsOf } from './digestImages.ts';
import type { KeptSplit } from './keptSplit.ts';
import { sameFolder } from '../../runs/sameFolder.ts';
import type { Dataset, Sample } from './scanDataset.ts';
import { pathIn } from './pathIn.ts';

/** The images of a folder, seen with the eyes of a run's split. */
export interface MatchedImages {
  /** By the run's split, each in the order of training. */
  readonly splits: Readonly<Record<SplitName, readonly Sample[]>>;
  /** Not among the run's images, or one copy more of such an image than the run had. */
  readonly unknown: readonly Sample[];
  /** The first use that the run made of an image or of a copy of it. */
  readonly firstUseOf: (sample: Sample) => SplitName | undefined;
  /** How many of the run's images are not there any more, by split. */
  readonly gone: Readonly<Record<SplitName, number>>;
  /** Whether the folder is the run's data: it has at least half of its images, or lies in its place and has some. */
  readonly isOwn: boolean;
}

/** Finds the images of a run in a folder, by what is in them. */
export function matchImages(dataset: Dataset, split: KeptSplit, digests: DigestsOf): MatchedImages {
  const known = new Map<string, SplitName>();
  const splits: Record<SplitName, Sample[]> = { train: [], valid: [], test: [] };
  const unknown: Sample[] = [];
  const found = new Map<number, number>();
  const take = (sample: Sample, path: string): void => {
    const place = split.placeOf(path, digests(sample.file));
    const before = (place && found.get(place.key)) ?? 0;
    if (place === undefined || before >= place.images) {
      unknown.push(sample);
      return;
    }
    found.set(place.key, before + 1);
    known.set(sample.file, place.split);
    splits[place.split].push(sample);
  };
  const others: [Sample, string][] = [];
  for (const sample of samplesOf(dataset)) {
    const path = pathIn(dataset.root, sample.file);
    if (split.hasPath(path)) take(sample, path);
    else others.push([sample, path]);
  }
  // Of copies of an image, the one that lies where it was is the run's.
  for (const [sample, path] of others) take(sample, path);
  // As a scan orders them, which is the order that training numbers them in.
  for (const name of splitNames) {
    splits[name].sort((a, b) => a.classIndex - b.classIndex || (a.file < b.file ? -1 : 1));
  }
  const gone = (name: SplitName) => Math.max(0, split.images[name] - splits[name].length);
  const total = split.images.train + split.images.valid + split.images.test;
  return {
    splits,
    unknown,
    firstUseOf: ({ file }) => split.firstUseOf(digests(file)) ?? known.get(file),
    gone: { train: gone('train'), valid: gone('valid'), test: gone('test') },
    isOwn: known.size > 0 && (known.size * 2 >= total || sameFolder(dataset.root, split.data)),
  };
}
