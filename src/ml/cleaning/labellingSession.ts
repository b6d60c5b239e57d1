import { resolve } from 'node:path';
import type { Labelling, NextImage } from '../../protocol/labelling.ts';
import { mostLikely } from '../../protocol/labelling.ts';
import { userError } from '../../protocol/errors.ts';
import type { DecodePool } from '../data/decodePool.ts';
import { samplesOf } from '../data/digestImages.ts';
import { type Dataset, type Sample, scanDataset } from '../data/scanDataset.ts';
import { type ImageCollector, isWithin, walkImages } from '../data/walkImages.ts';
import type { FeatureModel } from '../features/featureModel.ts';
import { imageFeatures } from '../features/imageFeatures.ts';
import { unitRows } from '../features/neighbours.ts';
import { projectedRows } from '../features/projectedRows.ts';
import { requireFinite } from '../features/requireFinite.ts';
import { rootedRows } from '../features/rootedRows.ts';
import { createSelfTrainedHead, type SelfTrainedFit, type SelfTrainedHead } from '../features/selfTrainedHead.ts';
import type { CleaningOptions } from './cleaningSession.ts';
import { fileMarks } from './fileMarks.ts';
import type { JournalEntry } from './journal.ts';
import { type Candidates, type FittedHead, nextToLabel, uncertainties } from './nextToLabel.ts';

/** What is to be told of images without labels. */
export interface LabellingLook {
  /** Edits of the data folder that count. */
  readonly done: readonly JournalEntry[];
  /** Images, by absolute path, that come first whatever they would teach. */
  readonly first: readonly string[];
  /** Images that are listed at most. */
  readonly most: number;
}

export type LabellingFigures = Omit<Labelling, 'undo' | 'redo' | 'edits' | 'milliseconds'>;

/** What a network makes of the images of a data folder and of a folder without labels, and a head that follows the labels. */
export interface LabellingSession {
  /** As of the last look. */
  readonly dataset: Dataset;
  /**
   * Looks at both folders as they are now and fits the head to the training images. Undefined where there are images that
   * have no features yet: a new session has to be opened.
   */
  look(wanted: LabellingLook, signal: AbortSignal): Promise<LabellingFigures | undefined>;
  /** Where an image lies in the data folder already, by what is in it; undefined if it does not. As of the last look. */
  inData(image: string): string | undefined;
  dispose(): Promise<void>;
}

/** Numbers of an image that the head is fitted to at most: it is fitted after each label. */
export const widestRows = 512;

/** Computes what is not kept of the features. Throws as `imageFeatures` and `requireFinite` do, and for no image without a label. */
export async function openLabellingSession(
  data: string,
  unlabelled: string,
  model: FeatureModel,
  options: CleaningOptions,
): Promise<LabellingSession> {
  const { layout, network, pool, placement, signal, log, onProgress, onStage } = options;
  const [root, beside] = [resolve(data), resolve(unlabelled)];
  const scan = () => scanDataset(root, { validShare: 0, testShare: 0, seed: 0, layout, mayBeEmpty: true });
  const digestsOf = rememberDigests(pool);
  let dataset = await scan();
  const files = [...samplesOf(dataset).map(({ file }) => file), ...(await imagesBeside(root, beside))];
  const digests = await digestsOf(files);
  // One row for all images with the same content, in an order that does not depend on labels.
  const fileOf = new Map(files.flatMap((file, at) => (Number.isNaN(digests[at]) ? [] : [[digests[at] ?? 0, file] as const]))); // prettier-ignore
  const sorted = [...fileOf].sort(([a], [b]) => a - b);
  const rowOf = new Map(sorted.map(([digest], row) => [digest, row]));
  const samples = sorted.map(([, file]): Sample => ({ file, classIndex: 0 }));
  const found = await imageFeatures(model, samples, { pool, signal, log, onProgress });
  requireFinite(found, samples, network);
  const isDecoded = (row: number) => found.decoded[row] === 1;
  onStage('Fitting a head');
  const rows = await projectedRows(rootedRows(found, isDecoded), isDecoded, widestRows, placement);
  if (rows.projectedFrom !== undefined) log(`The head is fitted to ${rows.width} numbers per image, projected from ${rows.projectedFrom}, so that it follows each label.`); // prettier-ignore
  const unit = { width: rows.width, features: unitRows(rows.features, rows.width, [...samples.keys()]) };
  const head = await createSelfTrainedHead(rows, placement);
  let points: Labelling['curve'] = [];
  let dataFiles = new Map<number, string>();
  let rowOfFile = new Map<string, number>();

  /** The row of each file; NaN for one that cannot be read, and undefined if one has none. */
  async function rowsOf(images: readonly string[]): Promise<number[] | undefined> {
    const found = (await digestsOf(images)).map((digest) => (Number.isNaN(digest) ? NaN : rowOf.get(digest)));
    return found.includes(undefined) ? undefined : found.map((row) => row ?? NaN);
  }

  return {
    get dataset() {
      return dataset;
    },
    inData: (image) => dataFiles.get(rowOfFile.get(resolve(image)) ?? -1),
    look: async ({ done, first, most }, lookSignal) => {
      dataset = await scan();
      const { classes } = dataset;
      const own = samplesOf(dataset);
      const images = await imagesBeside(root, beside);
      const [ownRows, imageRows] = [await rowsOf(own.map(({ file }) => file)), await rowsOf(images)];
      if (!ownRows || !imageRows) return undefined;
      dataFiles = new Map(own.flatMap(({ file }, at) => (Number.isNaN(ownRows[at]) ? [] : [[ownRows[at] ?? NaN, file] as const]))); // prettier-ignore
      rowOfFile = new Map(images.map((file, at) => [file, imageRows[at] ?? NaN]));
      const { labels, judged } = labelsOf(dataset, ownRows, samples.length, isDecoded);
      const counted = labels.filter((label) => label >= 0);
      const open = openRows(images, imageRows, (row) => isDecoded(row) && !dataFiles.has(row), done);
      const fit = new Set(counted).size > 1 ? await head.fit(labels, classes.length, (row) => open.has(row), lookSignal) : undefined; // prettier-ignore
      const accuracy = fit && accuracyOf(fit, labels, judged, classes.length);
      if (accuracy) {
        // Of more labels than there are now, some were undone.
        const before = points.filter((point) => point.labels < counted.length);
        points = [...before, { labels: counted.length, accuracy: accuracy.share }];
      }
      const labelled = [...labels.keys()].filter((row) => (labels[row] ?? -1) >= 0);
      const candidates = { unit, labelled, head: fit && { ...fit, classes: classes.length } };
      const order = inOrder(open, candidates, { first, most });
      return {
        data: root,
        unlabelled: beside,
        classes: sizesOf(classes, own),
        labels: counted.length,
        open: open.size,
        skipped: [...open.values()].filter(({ isSkipped }) => isSkipped).length,
        undecodable: imageRows.filter((row) => !isDecoded(row)).length,
        next: nextImages(order, open, candidates.head, classes),
        ...(accuracy ? { accuracy } : {}),
        curve: points,
      };
    },
    dispose: () => disposeBoth(head, model),
  };
}

async function disposeBoth(head: SelfTrainedHead, model: FeatureModel): Promise<void> {
  await head.dispose();
  await model.dispose();
}

/** The images of the folder without labels, sorted. Throws a user error for a folder in the data set, or one that holds no images. */
async function imagesBeside(root: string, folder: string): Promise<string[]> {
  if (isWithin(folder, root)) {
    throw userError(`${folder} lies in the data set ${root}: name a folder outside it, whose images have no classes yet.`); // prettier-ignore
  }
  const images: string[] = [];
  const collector: ImageCollector = { images, below: () => collector };
  await walkImages(folder, collector);
  return images.filter((image) => !isWithin(image, root)).sort();
}

/** Digests of files, as `DecodePool.digest` says; files that nobody has touched are not read again. */
function rememberDigests(pool: DecodePool): (files: readonly string[]) => Promise<number[]> {
  let known = new Map<string, number>();
  return async (files) => {
    const marks = await fileMarks(files);
    const missing = [...files.keys()].filter((at) => !known.has(marks[at] ?? ''));
    const digests = await pool.digest(missing.map((at) => files[at] ?? ''));
    known = new Map([...known, ...missing.map((at, place) => [marks[at] ?? '', digests[place] ?? NaN] as const)]);
    return marks.map((mark) => known.get(mark) ?? NaN);
  };
}

/** An image without a label. */
interface OpenImage {
  readonly image: string;
  readonly isSkipped: boolean;
}

/** The images, by their rows, that are to be labelled yet: one for each content. */
function openRows(
  images: readonly string[],
  rows: readonly number[],
  isOpen: (row: number) => boolean,
  done: readonly JournalEntry[],
): Map<number, OpenImage> {
  const [labelled, skipped] = [new Set<string>(), new Set<string>()];
  for (const { edit } of done) {
    if (edit.kind === 'label') for (const image of edit.images) labelled.add(image);
    if (edit.kind === 'skip') for (const image of edit.images) skipped.add(image);
  }
  const open = new Map<number, OpenImage>();
  images.forEach((image, at) => {
    const row = rows[at] ?? NaN;
    if (isOpen(row) && !labelled.has(image) && !open.has(row)) open.set(row, { image, isSkipped: skipped.has(image) });
  });
  return open;
}

/** The rows of open images: those that were asked for first, then what would teach most, then what was skipped. */
function inOrder(
  open: ReadonlyMap<number, OpenImage>,
  candidates: Omit<Candidates, 'open'>,
  { first, most }: Pick<LabellingLook, 'first' | 'most'>,
): number[] {
  const wanted = new Set(first.map((image) => resolve(image)));
  const [early, late, others]: [number[], number[], number[]] = [[], [], []];
  for (const [row, { image, isSkipped }] of open) (isSkipped ? late : wanted.has(image) ? early : others).push(row);
  return [...early, ...nextToLabel({ ...candidates, open: others }, most), ...late].slice(0, most);
}

function nextImages(
  order: readonly number[],
  open: ReadonlyMap<number, OpenImage>,
  head: FittedHead | undefined,
  classes: Dataset['classes'],
): NextImage[] {
  const size = classes.length;
  const unsure = head && uncertainties(head.probabilities, size, order);
  return order.map((row, at) => ({
    image: open.get(row)?.image ?? '',
    likely: head ? likelyClasses(head.probabilities.subarray(row * size, (row + 1) * size), classes) : [],
    // Without a head all are equally uncertain.
    uncertainty: unsure?.[at] ?? 1,
    isSkipped: open.get(row)?.isSkipped === true,
  }));
}

/** The class of each row that the head is fitted to, -1 for all others, and the classes of those that judge it. */
function labelsOf(
  { splits }: Dataset,
  rowsOfSamples: readonly number[],
  rows: number,
  isDecoded: (row: number) => boolean,
) {
  const labels = new Int32Array(rows).fill(-1);
  const judged = new Map<number, number>();
  // `samplesOf` has the training images first, then those of validation.
  [...splits.train, ...splits.valid].forEach(({ classIndex }, at) => {
    const row = rowsOfSamples[at] ?? NaN;
    if (!isDecoded(row)) return;
    if (at < splits.train.length) labels[row] = classIndex;
    else judged.set(row, classIndex);
  });
  return { labels, judged };
}

function sizesOf(classes: Dataset['classes'], samples: readonly Sample[]): Labelling['classes'] {
  const sizes = new Uint32Array(classes.length);
  for (const { classIndex } of samples) sizes[classIndex] = (sizes[classIndex] ?? 0) + 1;
  return classes.map(({ index, folder, name }) => ({ folder, name, images: sizes[index] ?? 0 }));
}

/** By the validation images, which the head has neither seen nor guessed, or without any by the labelled ones, each judged without itself. */
function accuracyOf(
  fit: SelfTrainedFit,
  labels: Int32Array,
  validation: ReadonlyMap<number, number>,
  classes: number,
): NonNullable<Labelling['accuracy']> {
  const unseen = [...validation].filter(([row]) => (labels[row] ?? -1) < 0);
  const judged = unseen.length > 0 ? unseen : [...labels.entries()].filter(([, label]) => label >= 0);
  const probabilities = unseen.length > 0 ? fit.probabilities : fit.leftOut;
  const right = judged.filter(([row, label]) => {
    const own = probabilities.subarray(row * classes, (row + 1) * classes);
    return own.every((probability, index) => index === label || probability < (own[label] ?? 0));
  }).length;
  return {
    of: unseen.length > 0 ? 'validation' : 'leaveOneOut',
    images: judged.length,
    share: right / judged.length,
  };
}

function likelyClasses(probabilities: Float32Array, classes: Dataset['classes']): NextImage['likely'] {
  return classes
    .map(({ index, folder }) => ({ folder, probability: Math.min(1, probabilities[index] ?? 0) }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, mostLikely);
}
