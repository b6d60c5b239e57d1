import { resolve } from 'node:path';
import type { ClassLabel } from '../../protocol/checkpointMetadata.ts';
import {
  type Cleaning,
  type CleaningItem,
  type CleaningKind,
  cleaningKinds,
  mostOfKind,
} from '../../protocol/cleaning.ts';
import type { FeatureMap } from '../../protocol/featureMap.ts';
import { type DecodePool } from '../data/decodePool.ts';
import { samplesOf } from '../data/digestImages.ts';
import { pathIn } from '../data/pathIn.ts';
import { type Dataset, type Sample, scanDataset } from '../data/scanDataset.ts';
import { labelIssues } from '../evaluation/confidentLearning.ts';
import type { FeatureModel, ImageFeatures } from '../features/featureModel.ts';
import { type Likenesses, likenessesOf, oddImages, otherwiseWrong } from '../features/findSuspects.ts';
import { imageFeatures } from '../features/imageFeatures.ts';
import { keptMap } from '../features/keptMap.ts';
import type { MapOptions } from '../features/mapFeatures.ts';
import { fileMarks } from './fileMarks.ts';
import { projectedRows } from '../features/projectedRows.ts';
import { createRidgeHead, type RidgeFit, type RidgeHead } from '../features/ridgeHead.ts';
import { requireFinite } from '../features/requireFinite.ts';
import type { Placement } from '../inference/graphClassifier.ts';
import type { Layout } from '../../protocol/trainingConfig.ts';

export interface CleaningOptions {
  readonly layout: Layout;
  /** What the model is called in errors. */
  readonly network: string;
  readonly pool: DecodePool;
  readonly placement: Placement;
  readonly signal: AbortSignal;
  readonly log: (sentence: string) => void;
  readonly onProgress: (done: number, total: number) => void;
  readonly onStage: (stage: string) => void;
}

/** Images by their paths in the data folder, with `/`. */
export interface CleaningLook {
  readonly kept: ReadonlySet<string>;
  readonly chosen: ReadonlySet<string>;
}

/** What a data folder's images look like to a network, and a head over that which follows their labels. */
export interface CleaningSession {
  /** Whether the folder's classes lie in folders of splits; as of the last look. */
  readonly dataset: Dataset;
  /**
   * Looks at the folder as it is now and fits the head; images whose classes somebody has looked at (`kept`, relative paths)
   * are not shown again, and those that are `chosen` are shown too. Who lies nearest to whom, from which near-duplicates and outliers follow, is as it was when the
   * session was opened, but for images that are put aside. Undefined where there are images that have no features yet: a new session has to be opened.
   */
  look(wanted: CleaningLook, signal: AbortSignal): Promise<Omit<Cleaning, 'undo' | 'redo' | 'edits' | 'milliseconds'> | undefined>; // prettier-ignore
  /** The images as they are now in a map, which is kept; undefined as `look` is. Throws as `mapFeatures` does. */
  map(options: MapOptions): Promise<FeatureMap | undefined>;
  dispose(): Promise<void>;
}

/** Kinds of which the first so many are shown whatever their score: the head is unsure of some image always. */
const unsureShown = 100;
const confusionsShown = 30;
/** Numbers of an image that the head is fitted to at most. */
const widestRows = 1280;
const unsplit = { validShare: 0, testShare: 0, seed: 0 };

/** Computes what is not kept of the features, and all that does not depend on labels. Throws as `imageFeatures` and `requireFinite` do. */
export async function openCleaningSession(
  folder: string,
  model: FeatureModel,
  options: CleaningOptions,
): Promise<CleaningSession> {
  const { pool, placement, signal, log, onProgress, onStage } = options;
  const root = resolve(folder);
  const scan = () => scanDataset(root, { ...unsplit, layout: options.layout });
  let dataset = await scan();
  const unordered = samplesOf(dataset);
  // Ahead of the digests: a file that is replaced after them has another mark at the next look.
  const marked = await fileMarks(unordered.map(({ file }) => file));
  const digested = await pool.digest(unordered.map(({ file }) => file));
  // An order that stays when images are moved.
  const order = [...unordered.keys()].sort((a, b) => (digested[a] ?? 0) - (digested[b] ?? 0) || ((unordered[a]?.file ?? '') < (unordered[b]?.file ?? '') ? -1 : 1)); // prettier-ignore
  const samples = order.flatMap((at) => unordered[at] ?? []);
  const rowsOfDigest = new Map<number, number[]>();
  order.forEach((at, row) => {
    const digest = digested[at] ?? NaN;
    rowsOfDigest.set(digest, [...(rowsOfDigest.get(digest) ?? []), row]);
  });
  const reasons = new Map<string, string>();
  const found = await imageFeatures(model, samples, {
    ...{ pool, signal, log, onProgress },
    onLeftOut: (file, reason) => reasons.set(file, reason),
  });
  requireFinite(found, samples, options.network);
  onStage('Comparing every image with every other');
  const likenesses = await likenessesOf(found, (row) => found.decoded[row] === 1, placement, signal);
  onStage('Fitting a head');
  const headRows = await projectedRows(found, (row) => found.decoded[row] === 1, widestRows, placement);
  if (headRows.projectedFrom !== undefined) log(`The head is fitted to ${headRows.width} numbers per image, projected from ${headRows.projectedFrom}, so that it follows each change.`); // prettier-ignore
  const head = await createRidgeHead(headRows, placement);
  let places: Float32Array | undefined;
  const rowsNow = rowFinder(pool, new Map(order.map((at, row) => [marked[at] ?? '', row])), rowsOfDigest);

  /** The folder as it is now, and a head that is fitted to it; undefined where an image has no row. */
  async function lookNow(lookSignal: AbortSignal | undefined): Promise<Looked | undefined> {
    dataset = await scan();
    const rows = await rowsNow(samplesOf(dataset));
    if (!rows) return undefined;
    const labels = new Int32Array(samples.length).fill(-1);
    for (const [row, { classIndex }] of rows) if (found.decoded[row] === 1) labels[row] = classIndex;
    const fit = await head.fit(labels, dataset.classes.length, lookSignal);
    return { root, rows, labels, fit, classes: dataset.classes };
  }

  return {
    get dataset() {
      return dataset;
    },
    look: async (wanted, lookSignal) => {
      const looked = await lookNow(lookSignal);
      return looked && figuresOf(looked, wanted, found, likenesses);
    },
    map: async (mapOptions) => {
      const looked = await lookNow(mapOptions.signal);
      if (!looked) return undefined;
      places ??= await keptMap(found, placement, { ...mapOptions, model: model.key, folder: root, log });
      const reasonOf = (row: number) => reasons.get(samples[row]?.file ?? '') ?? '';
      return { ...mapOf(looked, places, reasonOf), seed: mapOptions.seed };
    },
    dispose: () => disposeBoth(head, model),
  };
}

/**
 * What finds the row of each image that is there now; undefined where one has none. By marks of the files, and by digests
 * where a file has moved or changed.
 */
function rowFinder(
  pool: DecodePool,
  first: ReadonlyMap<string, number>,
  rowsOfDigest: ReadonlyMap<number, readonly number[]>,
): (images: readonly Sample[]) => Promise<Map<number, Sample> | undefined> {
  /** Only of files that were there at the last look: another image may have come to a path that was left. */
  let rowOfMark = first;
  return async (images) => {
    const rows = new Map<number, Sample>();
    const marks = await fileMarks(images.map(({ file }) => file));
    const seen = new Map<string, number>();
    const take = (at: number, sample: Sample, row: number) => {
      rows.set(row, sample);
      seen.set(marks[at] ?? '', row);
    };
    const others: [number, Sample][] = [];
    for (const [at, sample] of images.entries()) {
      const row = rowOfMark.get(marks[at] ?? '');
      if (row === undefined) others.push([at, sample]);
      else take(at, sample, row);
    }
    const digests = await pool.digest(others.map(([, { file }]) => file));
    for (const [place, [at, sample]] of others.entries()) {
      const row = rowsOfDigest.get(digests[place] ?? NaN)?.find((each) => !rows.has(each));
      if (row === undefined) return undefined;
      take(at, sample, row);
    }
    rowOfMark = seen;
    return rows;
  };
}

async function disposeBoth(head: RidgeHead, model: FeatureModel): Promise<void> {
  await head.dispose();
  await model.dispose();
}

interface Looked {
  readonly root: string;
  readonly rows: ReadonlyMap<number, Sample>;
  readonly labels: Int32Array;
  readonly fit: RidgeFit;
  readonly classes: readonly ClassLabel[];
}

/** What the head of all others says of each row; -1 as the likeliest class of rows that do not count. */
function judged({ labels, fit, classes: { length: size } }: Looked) {
  const own = (row: number) => fit.probabilities.subarray(row * size, (row + 1) * size);
  const likely = Int32Array.from(labels, (label, row) => (label < 0 ? -1 : indexOfMost(own(row))));
  return { own, likely };
}

/** The images that have a place, and those that have none, with `reasonOf` as the reason. */
function mapOf(looked: Looked, places: Float32Array, reasonOf: (row: number) => string) {
  const { root, rows, labels, classes } = looked;
  const { own, likely } = judged(looked);
  const isPlaced = (row: number) => (labels[row] ?? -1) >= 0 && !Number.isNaN(places[2 * row]);
  const images = [...rows].flatMap(([row, { file, classIndex }]) => {
    if (!isPlaced(row)) return [];
    const [x = 0, y = 0] = places.subarray(2 * row, 2 * row + 2);
    const best = likely[row] ?? 0;
    return [
      { image: pathIn(root, file), classIndex, likely: best, probability: Math.min(1, own(row)[best] ?? 0), x, y },
    ];
  });
  const leftOut = [...rows].flatMap(([row, { file }]) => isPlaced(row) ? [] : [{ image: pathIn(root, file), reason: reasonOf(row) }]); // prettier-ignore
  return { data: root, classes: classes.map(({ folder, name }) => ({ folder, name })), images, leftOut };
}

function figuresOf(looked: Looked, { kept, chosen }: CleaningLook, found: ImageFeatures, likenesses: Likenesses) {
  const { root, rows, labels, fit, classes } = looked;
  const { own, likely } = judged(looked);
  const size = classes.length;
  const folder = (index: number) => classes[index]?.folder ?? '';
  const path = (row: number) => pathIn(root, rows.get(row)?.file ?? '');
  const item = (row: number, kind: CleaningKind, score: number): CleaningItem => ({
    kind,
    image: path(row),
    folder: folder(labels[row] ?? 0),
    likely: folder(likely[row] ?? 0),
    probability: Math.min(1, own(row)[likely[row] ?? 0] ?? 0),
    score: Math.min(1, Math.max(0, score)),
  });
  const counts = (row: number) => (labels[row] ?? -1) >= 0;
  const rowOf = new Map([...rows].filter(([row]) => counts(row)).map(([row]) => [path(row), row]));
  const suspects = oddImages(found, amongThose(likenesses, counts), counts, {
    about: (row) => ({ image: path(row), folder: folder(labels[row] ?? 0) }),
    ownProbability: (row) => own(row)[labels[row] ?? 0] ?? 0,
  }).filter(({ image }) => !kept.has(image)); // A pair that was kept does not hide a wrong label of the twin.
  const isOtherwise = otherwiseWrong(suspects);
  const odd = suspects.map(({ kind, image, score, twin, what }): CleaningItem => ({
    ...item(rowOf.get(image) ?? 0, kind, score),
    ...(twin === undefined ? {} : { twin }),
    ...(what === undefined ? {} : { what }),
  }));
  const isLeft = ({ image }: CleaningItem) => !kept.has(image);
  // Neither what is another thing nor what somebody has looked at counts as a wrong class.
  const contradicted = labelIssues(fit.probabilities, labels, size).filter(
    ({ row, likely: other }) => !isOtherwise(path(row), folder(other)) && !kept.has(path(row)),
  );
  const leastSure = unsure(labels, likely, own)
    .map(({ row, score }) => item(row, 'unsure', score))
    .filter(isLeft);
  const ofUser = [...rowOf]
    .filter(([image]) => chosen.has(image))
    .map(([, row]) => item(row, 'chosen', 1 - (own(row)[labels[row] ?? 0] ?? 0)))
    .sort((a, b) => b.score - a.score || (a.image < b.image ? -1 : 1));
  const all = [
    ...contradicted.map(({ row, score }) => item(row, 'label', score)),
    ...odd,
    ...leastSure.slice(0, unsureShown),
    ...ofUser,
  ].filter(isLeft);
  const ofKind = (kind: CleaningKind) => all.filter((each) => each.kind === kind);
  const counted = labels.filter((label) => label >= 0).length;
  const right = labels.filter((label, row) => label >= 0 && label === likely[row]).length;
  const [label, duplicate, , outlier, quality, byUser] = cleaningKinds.map((kind) => ofKind(kind).length);
  return {
    data: root,
    classes: classes.map(({ index, folder: name, name: shown }) => ({ folder: name, name: shown, images: labels.filter((each) => each === index).length })), // prettier-ignore
    images: counted,
    accuracy: counted === 0 ? 0 : right / counted,
    estimated: contradicted.filter(({ isCounted }) => isCounted).length,
    counts: { label: label ?? 0, duplicate: duplicate ?? 0, unsure: leastSure.length, outlier: outlier ?? 0, quality: quality ?? 0, chosen: byUser ?? 0 }, // prettier-ignore
    items: cleaningKinds.flatMap((kind) => ofKind(kind).slice(0, mostOfKind)),
    confusions: confusionsOf(labels, likely).map(([actual, predicted, images]) => ({ folder: folder(actual), likely: folder(predicted), images })), // prettier-ignore
  };
}

/** Images whose own class is the likeliest, by the least distance to the next likely one. */
function unsure(labels: Int32Array, likely: Int32Array, own: (row: number) => Float32Array) {
  const found: { row: number; score: number }[] = [];
  labels.forEach((label, row) => {
    if (label < 0 || likely[row] !== label) return;
    const probabilities = own(row);
    let second = 0;
    probabilities.forEach((probability, index) => {
      if (index !== label && probability > second) second = probability;
    });
    found.push({ row, score: 1 - ((probabilities[label] ?? 0) - second) });
  });
  return found.sort((a, b) => b.score - a.score || a.row - b.row);
}

/** Neighbours and near-duplicates without those that do not count. */
function amongThose({ neighbours, duplicates }: Likenesses, counts: (row: number) => boolean): Likenesses {
  const { rows, cosines, count } = neighbours;
  const isLeft = (row: number, at: number) => row >= 0 && counts(row) && counts(Math.floor(at / count));
  return {
    neighbours: {
      count,
      rows: rows.map((row, at) => (isLeft(row, at) ? row : -1)),
      cosines: cosines.map((cosine, at) => (isLeft(rows[at] ?? -1, at) ? cosine : -Infinity)),
    },
    duplicates: duplicates.filter(({ row, twin }) => counts(row) && counts(twin)),
  };
}

function confusionsOf(labels: Int32Array, likely: Int32Array): (readonly [number, number, number])[] {
  const pairs = new Map<string, [number, number, number]>();
  labels.forEach((label, row) => {
    const predicted = likely[row] ?? -1;
    if (label < 0 || predicted === label) return;
    const key = `${label} ${predicted}`;
    const pair = pairs.get(key);
    if (pair) pair[2]++;
    else pairs.set(key, [label, predicted, 1]);
  });
  return [...pairs.values()].sort((a, b) => b[2] - a[2] || a[0] - b[0] || a[1] - b[1]).slice(0, confusionsShown);
}

function indexOfMost(values: Float32Array): number {
  let best = 0;
  values.forEach((value, index) => {
    if (value > (values[best] ?? 0)) best = index;
  });
  return best;
}
