import { extname, relative, sep } from 'node:path';
import { splitNames } from '../../protocol/dataReport.ts';
import type { DataReport, SplitName } from '../../protocol/dataReport.ts';
import { createDecodePool } from './decodePool.ts';
import type { DecodePool } from './decodePool.ts';
import type { Inspection } from './decodeWorker.ts';
import { dataFindings } from './dataFindings.ts';
import { inChunks } from './inChunks.ts';
import type { Dataset } from './scanDataset.ts';

export interface CheckOptions {
  /** Decodes every image fully. Without it files that do not decode are found while training. */
  readonly decode: boolean;
  /** Called with the number of files that were looked at, of how many. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Threads to work in, which stay the caller's; without it the check starts its own and ends them. */
  readonly pool?: DecodePool;
  /** Breaks the check off; it throws a cancellation then. */
  readonly signal?: AbortSignal;
}

interface CheckedFile {
  readonly file: string;
  readonly split: SplitName;
  readonly classIndex: number;
}

/** Files that one thread is given at a time: to decode or hash, to read the end of, to ask for its size. */
const chunkSizes = { inspect: 32, end: 256, size: 2048 };

/**
 * Looks through a data set: images per class and split, files that do not decode, identical files across splits and
 * classes, and what a user should know before training. Only files of equal size and equal end are hashed whole: of a
 * million photographs that is next to none, though most share their size with another.
 */
export async function checkData(dataset: Dataset, options: CheckOptions): Promise<DataReport> {
  const files = splitNames.flatMap((split) => dataset.splits[split].map((sample) => ({ ...sample, split })));
  const pool = options.pool ?? createDecodePool();
  try {
    const suspects = new Set(await possibleCopies(files, pool, options.signal));
    const paths = files.map(({ file }) => file);
    const rest = options.decode ? paths.filter((file) => !suspects.has(file)) : [];
    const total = suspects.size + rest.length;
    const whole = await inspectAll(pool, { ...options, files: [...suspects], hash: 'whole', before: 0, total });
    const others = await inspectAll(pool, { ...options, files: rest, hash: 'none', before: whole.size, total });
    return report(dataset, files, new Map([...whole, ...others]));
  } finally {
    if (!options.pool) await pool.dispose();
  }
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

async function inspectAll(
  pool: DecodePool,
  options: CheckOptions & {
    readonly files: readonly string[];
    readonly hash: 'whole' | 'none';
    /** Files that were inspected before these, and all that will be. */
    readonly before: number;
    readonly total: number;
  },
): Promise<Map<string, Inspection>> {
  const { files, hash, decode, onProgress, signal, before, total } = options;
  const found = new Map<string, Inspection>();
  const threads = { threads: pool.threads, ...(signal ? { signal } : {}) };
  await inChunks(files, { ...threads, size: chunkSizes.inspect }, async (chunk) => {
    const results = await pool.inspect({ files: chunk, decode, hash });
    chunk.forEach((file, index) => found.set(file, results[index] ?? {}));
    onProgress?.(before + found.size, total);
  });
  return found;
}

function report(
  dataset: Dataset,
  files: readonly CheckedFile[],
  inspections: ReadonlyMap<string, Inspection>,
): DataReport {
  const path = (file: string) => relative(dataset.root, file).split(sep).join('/');
  const classes = dataset.classes.map((label) => ({ ...label, train: 0, valid: 0, test: 0 }));
  const images = { train: 0, valid: 0, test: 0 };
  const undecodable: DataReport['undecodable'] = dataset.notImages.map((file) => ({
    file: path(file),
    reason: notImageReason(file),
  }));
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
  const duplicates = findDuplicates(files, inspections, path);
  const counted = { data: dataset.root, splitBy: dataset.splitBy, classes, images, undecodable, duplicates };
  return { ...counted, findings: dataFindings(counted, dataset.notes) };
}

function notImageReason(file: string): string {
  const extension = extname(file);
  return `${extension === '' ? 'A file without extension' : `A ${extension} file`} in this place is no image of a class; move it away or into a class folder.`;
}

/** Groups of identical files that lie in different splits or classes. */
function findDuplicates(
  files: readonly CheckedFile[],
  inspections: ReadonlyMap<string, Inspection>,
  path: (file: string) => string,
): DataReport['duplicates'] {
  const byHash = new Map<string, CheckedFile[]>();
  for (const checked of files) {
    const hash = inspections.get(checked.file)?.hash;
    if (hash === undefined) continue;
    const others = byHash.get(hash);
    if (others) others.push(checked);
    else byHash.set(hash, [checked]);
  }
  const groups = [...byHash.values()].map((group) => ({
    files: group.map(({ file }) => path(file)),
    acrossSplits: new Set(group.map(({ split }) => split)).size > 1,
    acrossClasses: new Set(group.map(({ classIndex }) => classIndex)).size > 1,
  }));
  return groups.filter(({ acrossSplits, acrossClasses }) => acrossSplits || acrossClasses);
}
