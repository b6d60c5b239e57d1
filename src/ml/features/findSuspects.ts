import type { Suspect } from '../../protocol/suspect.ts';
import type { ClassLabel } from '../../protocol/checkpointMetadata.ts';
import { labelIssues } from '../evaluation/confidentLearning.ts';
import type { Sample } from '../data/scanDataset.ts';
import type { Placement } from '../inference/graphClassifier.ts';
import { type ImageFeatures, qualityNumbers } from './featureModel.ts';
import { type NearDuplicate, nearDuplicates } from './nearDuplicates.ts';
import { nearestNeighbours, type Neighbours } from './neighbours.ts';
import { outOfFoldProbabilities } from './outOfFold.ts';
import { symmetricLooks } from './samePicture.ts';
import { standardized } from './softmaxHead.ts';

export interface SuspectsOptions {
  readonly folds: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
  /** Hears which part is being worked on. */
  readonly onStage: (stage: string) => void;
}

export interface FoundSuspects {
  readonly suspects: readonly Suspect[];
  /** Images that decode, and were looked at. */
  readonly images: number;
  /** How many of the labels among the suspects are wrong by confident learning's count. */
  readonly estimatedLabelIssues: number;
}

/** How heads are trained whose out-of-fold probabilities labels are judged by: so many epochs, or more until there are so many steps. */
const head = { batchSize: 256, learningRate: 0.001, weightDecay: 0.1 };
const [leastEpochs, leastSteps] = [15, 100];
/** Neighbours by whose distance outliers are told. */
const neighbourCount = 10;
/** Images that look alike however they are turned, among which copies are found: the same picture is nearer than all others. */
const lookAlikeCount = 3;
/** How far beyond the middle half an outlier's or an odd image's figure lies, in its widths (Tukey's outer fences). */
const outerFence = 3;

/**
 * What looks wrong in a data set, the surest of each kind first: labels that the data contradicts, near-duplicates,
 * outliers, and images that are blurred, dark, bright, empty or long and narrow beside the others.
 */
export async function findSuspects(
  samples: readonly Sample[],
  classes: readonly ClassLabel[],
  found: ImageFeatures,
  placement: Placement,
  { folds, seed, signal, onStage }: SuspectsOptions,
): Promise<FoundSuspects> {
  const isKept = (row: number) => found.decoded[row] === 1;
  const labels = Int32Array.from(samples, ({ classIndex }, row) => (isKept(row) ? classIndex : -1));
  const folder = (index: number) => classes[index]?.folder ?? '';
  const about = (row: number) => ({ image: samples[row]?.file ?? '', folder: folder(samples[row]?.classIndex ?? -1) });
  onStage('Training heads on the features');
  const probabilities = await outOfFoldProbabilities(
    standardized(found, isKept),
    labels,
    folds,
    { ...head, epochs: epochsFor(labels, folds), classes: classes.length, seed, ...(signal ? { signal } : {}) },
    placement,
  );
  const issues = labelIssues(probabilities, labels, classes.length);
  onStage('Comparing every image with every other');
  const likenesses = await likenessesOf(found, isKept, placement, signal);
  const ownProbability = (row: number) => probabilities[row * classes.length + (labels[row] ?? 0)] ?? 0;
  const odd = oddImages(found, likenesses, isKept, { about, ownProbability });
  const isOtherwise = otherwiseWrong(odd);
  const contradicted = issues.filter(({ row, likely }) => !isOtherwise(about(row).image, folder(likely)));
  const wrongLabels = contradicted.map(({ row, likely, score }): Suspect => ({ kind: 'label', ...about(row), likely: folder(likely), score })); // prettier-ignore
  return {
    suspects: [...wrongLabels, ...odd],
    images: labels.filter((label) => label >= 0).length,
    estimatedLabelIssues: contradicted.filter(({ isCounted }) => isCounted).length,
  };
}

function epochsFor(labels: Int32Array, folds: number): number {
  const trained = (labels.filter((label) => label >= 0).length * (folds - 1)) / folds;
  return Math.max(leastEpochs, Math.ceil(leastSteps / Math.max(1, Math.floor(trained / head.batchSize))));
}

/** What images have to do with each other. */
export interface Likenesses {
  readonly neighbours: Neighbours;
  readonly duplicates: readonly NearDuplicate[];
}

/** Compares every image that counts with every other. Throws a cancellation once `signal` is aborted. */
export async function likenessesOf(
  found: ImageFeatures,
  counts: (row: number) => boolean,
  placement: Placement,
  signal?: AbortSignal,
): Promise<Likenesses> {
  const neighbours = await nearestNeighbours(found, counts, neighbourCount, placement, signal);
  const lookAlikes = await nearestNeighbours(symmetricLooks(found.grids), counts, lookAlikeCount, placement, signal);
  return { neighbours, duplicates: nearDuplicates(found, neighbours, lookAlikes) };
}

/**
 * Near-duplicates, outliers and images that look unlike the others, the surest of each kind first. Of two near-duplicates
 * the one that comes later in the list is named, or, where their classes differ, the one whose class is less probable.
 */
export function oddImages(
  found: Pick<ImageFeatures, 'quality' | 'decoded'>,
  { neighbours, duplicates }: Likenesses,
  isKept: (row: number) => boolean,
  { about, ownProbability }: RowFacts,
): Suspect[] {
  const inOrder = (pair: NearDuplicate) => {
    const isReversed = about(pair.row).folder !== about(pair.twin).folder && ownProbability(pair.twin) < ownProbability(pair.row); // prettier-ignore
    return isReversed ? { ...pair, row: pair.twin, twin: pair.row } : pair;
  };
  return [
    ...surestFirst(duplicates.map((pair) => duplicateOf(inOrder(pair), about))),
    ...outliers(neighbours, isKept, about),
    ...oddQuality(found, isKept, about),
  ];
}

type About = (row: number) => Pick<Suspect, 'image' | 'folder'>;

export interface RowFacts {
  readonly about: About;
  /** What a head that has not learned from the image says of the class that it has. */
  readonly ownProbability: (row: number) => number;
}

/**
 * Tells which images are not named as wrong labels though a head says that they are `likely` of another class: they are like
 * no other or look poor, so that no head can judge them, or the head has learned that class from a near-duplicate in it,
 * which is named in their place.
 */
export function otherwiseWrong(odd: readonly Suspect[]): (image: string, likely: string) => boolean {
  const unlike = new Set(odd.flatMap(({ kind, image }) => (kind === 'duplicate' ? [] : [image])));
  const inClassOfTwin = (image: string, folder: string) => `${folder}/${image}`;
  const taught = new Set(odd.flatMap(({ twin, folder }) => (twin === undefined ? [] : [inClassOfTwin(twin, folder)])));
  return (image, likely) => unlike.has(image) || taught.has(inClassOfTwin(image, likely));
}

/** The row, with the other as its twin. */
function duplicateOf({ row, twin, score }: NearDuplicate, about: About): Suspect {
  const other = about(twin);
  return { kind: 'duplicate', ...about(row), likely: other.folder, score, twin: other.image };
}

/** Images that are far from their nearest: by the mean cosine of these, beyond the outer fence of all. */
function outliers({ cosines, rows, count }: Neighbours, isKept: (row: number) => boolean, about: About): Suspect[] {
  const kept = [...Array(rows.length / count).keys()].filter(isKept);
  const distances = kept.map((row) => {
    const own = [...cosines.subarray(row * count, (row + 1) * count)].filter(Number.isFinite);
    return own.length === 0 ? 0 : 1 - own.reduce((sum, cosine) => sum + cosine, 0) / own.length;
  });
  const { high } = fences(distances, 0);
  const far = kept.flatMap((row, at) => {
    const distance = distances[at] ?? 0;
    return distance > high ? [{ kind: 'outlier' as const, ...about(row), score: Math.min(1, distance) }] : [];
  });
  return surestFirst(far);
}

/** A figure of every image, and what one is called that is far too low or too high. */
interface Measure {
  readonly values: readonly number[];
  readonly low?: Suspect['what'];
  readonly high?: Suspect['what'];
  /** Least distance of the quartiles that fences are put up by. */
  readonly leastWidth?: number;
}

/** Images that are odd have to be twice as long for their width as three of four others. */
const leastElongation = Math.log(2) / outerFence;

/**
 * Images whose detail beside their contrast, brightness, contrast or elongation lies beyond the outer fence of all; all but
 * brightness by their logarithm.
 */
function oddQuality(
  { quality, decoded }: Pick<ImageFeatures, 'quality' | 'decoded'>,
  isKept: (row: number) => boolean,
  about: About,
): Suspect[] {
  const kept = [...decoded.keys()].filter(isKept);
  const figure = (column: number) => kept.map((row) => quality[row * qualityNumbers + column] ?? 0);
  const [details, contrasts] = [figure(0), figure(2)];
  const measures: readonly Measure[] = [
    { values: details.map((detail, at) => Math.log((detail + 0.1) / ((contrasts[at] ?? 0) + 1))), low: 'blurred' },
    { values: figure(1), low: 'dark', high: 'bright' },
    { values: contrasts.map((contrast) => Math.log(contrast + 1)), low: 'flat' },
    { values: figure(3).map(Math.log), high: 'elongated', leastWidth: leastElongation },
  ];
  const odd = measures.flatMap(({ values, low: tooLow, high: tooHigh, leastWidth = 1e-6 }) => {
    const { low, high, width } = fences(values, leastWidth);
    return kept.flatMap((row, at): Suspect[] => {
      const value = values[at] ?? 0;
      const [what, beyond] = value < low ? [tooLow, low - value] : value > high ? [tooHigh, value - high] : [];
      if (what === undefined || beyond === undefined) return [];
      return [{ kind: 'quality', ...about(row), what, score: 1 - 1 / (2 + beyond / width) }];
    });
  });
  return surestFirst(odd);
}

/** Tukey's outer fences: the quartiles less and plus three times their distance, or `leastWidth` if that is more. */
function fences(values: readonly number[], leastWidth: number): { low: number; high: number; width: number } {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  const [first, third] = [at(0.25), at(0.75)];
  const width = Math.max(leastWidth, third - first);
  return { low: first - outerFence * width, high: third + outerFence * width, width };
}

function surestFirst(suspects: readonly Suspect[]): Suspect[] {
  return suspects.toSorted((a, b) => b.score - a.score || (a.image < b.image ? -1 : 1));
}
