import { extname } from 'node:path';
import { splitNames } from '../../protocol/dataReport.ts';
import type { DataReport } from '../../protocol/dataReport.ts';
import { createDecodePool } from './decodePool.ts';
import type { DecodePool } from './decodePool.ts';
import type { InspectTask, Inspection } from './decodeWorker.ts';
import { dataFindings } from './dataFindings.ts';
import { type CheckedFile, findCopies } from './findCopies.ts';
import { inChunks } from './inChunks.ts';
import type { Dataset } from './scanDataset.ts';
import { createSketchbook, type Sketchbook } from './sketchbook.ts';
import { countsOf, whyUntrainable } from './whyUntrainable.ts';
import type { TrainableCounts } from './whyUntrainable.ts';
import { pathIn } from './pathIn.ts';

export interface CheckOptions {
  /**
   * Decodes every image fully, and so finds copies that were re-encoded. Without it files that do not decode are found
   * while training, and so is what the sketches of that are needed for.
   */
  readonly decode: boolean;
  /** Sketches of the images that training has decoded: only those that it lacks are decoded then, and copies are found. */
  readonly sketches?: Sketchbook;
  /** Called with the number of files that were looked at, of how many. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Threads to work in, which stay the caller's; without it the check starts its own and ends them. */
  readonly pool?: DecodePool;
  /** Breaks the check off; it throws a cancellation then. */
  readonly signal?: AbortSignal;
}

/** Files that one thread is given at a time: to decode or hash, to read the end of, to ask for its size. */
const chunkSizes = { inspect: 32, end: 256, size: 2048 };

/** Every image of a data set, in the order of the sketches. */
export function checkedFiles(dataset: Dataset): CheckedFile[] {
  return splitNames.flatMap((split) =>
    dataset.splits[split].map(({ file, classIndex }) => ({ file, classIndex, split })),
  );
}

/**
 * Looks through a data set: images per class and split, files that do not decode, copies of one picture across splits and
 * classes, and what a user should know before training. Only files of equal size and equal end are hashed whole: of a
 * million photographs that is next to none, though most share their size with another.
 */
export async function checkData(dataset: Dataset, options: CheckOptions): Promise<DataReport> {
  const files = checkedFiles(dataset);
  const paths = files.map(({ file }) => file);
  const pool = options.pool ?? createDecodePool();
  try {
    const book = options.sketches ?? (options.decode ? createSketchbook(paths) : undefined);
    const suspects = await possibleCopies(files, pool, options.signal);
    const hashed = new Set(suspects);
    const rest = options.decode ? paths.filter((file) => !hashed.has(file)) : paths.filter((file) => book && !book.has(file)); // prettier-ignore
    const inspections = await inspectAll(pool, options, book, [
      { files: suspects, decode: options.decode, hash: 'whole' },
      { files: rest, decode: true, hash: 'none' },
    ]);
    const hashOf = (file: string) => inspections.get(file)?.hash;
    const signal = options.signal ? { signal: options.signal } : {};
    const duplicates = await findCopies({
      files,
      hashOf,
      pool,
      ...(book ? { sketches: book.sketches } : {}),
      ...signal,
    });
    return report(dataset, files, inspections, duplicates);
  } finally {
    if (!options.pool) await pool.dispose();
  }
}

/** What the scan alone tells: all files are taken to decode, and none to be a copy. */
export function reportOfScan(dataset: Dataset): DataReport {
  return report(dataset, checkedFiles(dataset), new Map(), []);
}

/** Files that share their size and their end with another one. */
async function possibleCopies(
  files: readonly CheckedFile[],
  pool: DecodePool,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const paths = files.map(({ file }) => file);
  const sizes = new Map<string, string>();
  const threads = { threads: pool.threads, ...(signal ? { signal } : {}) };
  await inChunks(paths, { ...threads, size: chunkSizes.size }, async (chunk) => {
    const measured = await pool.measure(chunk);
    chunk.forEach((file, index) => {
      const size = measured[index] ?? -1;
      if (size >= 0) sizes.set(file, String(size));
    });
  });
  const ends = new Map<string, string>();
  await inChunks(sharing(sizes), { ...threads, size: chunkSizes.end }, async (chunk) => {
    const results = await pool.inspect({ files: chunk, decode: false, hash: 'end' });
    chunk.forEach((file, index) => {
      const end = results[index]?.hash;
      if (end !== undefined) ends.set(file, `${sizes.get(file) ?? ''} ${end}`);
    });
  });
  return sharing(ends);
}

/** Files whose key another file has too. */
function sharing(keys: ReadonlyMap<string, string>): string[] {
  const counts = new Map<string, number>();
  for (const key of keys.values()) counts.set(key, (counts.get(key) ?? 0) + 1);
  return [...keys].flatMap(([file, key]) => ((counts.get(key) ?? 0) > 1 ? [file] : []));
}

type Found = Omit<Inspection, 'sketch'>;

async function inspectAll(
  pool: DecodePool,
  { onProgress, signal }: CheckOptions,
  book: Sketchbook | undefined,
  tasks: readonly Pick<InspectTask, 'files' | 'decode' | 'hash'>[],
): Promise<Map<string, Found>> {
  const found = new Map<string, Found>();
  const total = tasks.reduce((sum, { files }) => sum + files.length, 0);
  let done = 0;
  for (const { files, decode, hash } of tasks) {
    const threads = { threads: pool.threads, ...(signal ? { signal } : {}) };
    await inChunks(files, { ...threads, size: chunkSizes.inspect }, async (chunk) => {
      const results = await pool.inspect({ files: chunk, decode, hash });
      chunk.forEach((file, index) => {
        const { sketch, ...rest } = results[index] ?? {};
        found.set(file, { ...found.get(file), ...rest });
        if (sketch) book?.add(file, sketch);
      });
      onProgress?.((done += chunk.length), total);
    });
  }
  return found;
}

function report(
  dataset: Dataset,
  files: readonly CheckedFile[],
  inspections: ReadonlyMap<string, Found>,
  copies: DataReport['duplicates'],
): DataReport {
  const path = (file: string) => pathIn(dataset.root, file);
  const classes = dataset.classes.map((label) => ({ ...label, train: 0, valid: 0, test: 0 }));
  const images = { train: 0, valid: 0, test: 0 };
  const undecodable: DataReport['undecodable'] = [
    ...dataset.withoutClass.map((file) => ({ file: path(file), reason: withoutClassReason })),
    ...dataset.notImages.map((file) => ({ file: path(file), reason: notImageReason(file) })),
  ];
  for (const { file, split, classIndex } of files) {
    const reason = inspections.get(file)?.reason;
    if (reason !== undefined) {
      undecodable.push({ file: path(file), reason });
      continue;
    }
    const counts = classes[classIndex];
    if (counts) counts[split]++;
    images[split]++;
  }
  const duplicates = copies.map((group) => ({ ...group, files: group.files.map(path) }));
  const counted = { data: dataset.root, splitBy: dataset.splitBy, classes, images, undecodable, duplicates };
  const withoutClass = dataset.withoutClass.map(path);
  const untrainable = whyUntrainable(readableCounts(dataset, counted));
  return { ...counted, findings: dataFindings(counted, { notes: dataset.notes, withoutClass, untrainable }) };
}

function readableCounts(
  dataset: Dataset,
  { classes, images }: Pick<DataReport, 'classes' | 'images'>,
): TrainableCounts {
  const found = countsOf(dataset);
  return {
    classes: found.classes.map((label, at) => ({
      ...label,
      train: { ...label.train, readable: classes[at]?.train ?? 0 },
    })),
    valid: { ...found.valid, readable: images.valid },
    validShare: found.validShare,
  };
}

const withoutClassReason = 'This image is not in a class folder; move it into the folder of its class.';

function notImageReason(file: string): string {
  const extension = extname(file);
  return `${extension === '' ? 'A file without extension' : `A ${extension} file`} does not have the extension of an image; rename the file if it is one.`;
}
