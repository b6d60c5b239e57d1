import { stat } from 'node:fs/promises';
import { extname, relative, sep } from 'node:path';
import { splitNames } from '../../protocol/dataReport.ts';
import type { DataReport, SplitName } from '../../protocol/dataReport.ts';
import { cancelled } from '../../protocol/errors.ts';
import { createDecodePool } from './decodePool.ts';
import type { DecodePool } from './decodePool.ts';
import type { Inspection } from './decodeWorker.ts';
import { dataFindings } from './dataFindings.ts';
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

/** Files that one thread is given at a time. */
const chunkSize = 32;
/** File sizes that are asked for at the same time. */
const statConcurrency = 64;

/**
 * Looks through a data set: images per class and split, files that do not decode, identical files across splits and
 * classes, and what a user should know before training. Only files of equal size are hashed.
 */
export async function checkData(dataset: Dataset, options: CheckOptions): Promise<DataReport> {
  const files = splitNames.flatMap((split) => dataset.splits[split].map((sample) => ({ ...sample, split })));
  const suspects = await filesOfEqualSize(files);
  const inspected = options.decode ? files : files.filter(({ file }) => suspects.has(file));
  const pool = options.pool ?? createDecodePool();
  try {
    const inspections = await inspectAll(inspected, suspects, pool, options);
    return report(dataset, files, inspections);
  } finally {
    if (!options.pool) await pool.dispose();
  }
}

/** Files that share their size with another one. */
async function filesOfEqualSize(files: readonly CheckedFile[]): Promise<ReadonlySet<string>> {
  const bySize = new Map<number, string[]>();
  const queue = files.values();
  const work = async () => {
    for (const { file } of queue) {
      const info = await stat(file).catch(() => undefined);
      if (!info) continue;
      const others = bySize.get(info.size);
      if (others) others.push(file);
      else bySize.set(info.size, [file]);
    }
  };
  await Promise.all(Array.from({ length: statConcurrency }, work));
  return new Set([...bySize.values()].filter(({ length }) => length > 1).flat());
}

async function inspectAll(
  files: readonly CheckedFile[],
  suspects: ReadonlySet<string>,
  pool: DecodePool,
  { decode, onProgress, signal }: CheckOptions,
): Promise<ReadonlyMap<string, Inspection>> {
  const found = new Map<string, Inspection>();
  // Those to be hashed and the others go in tasks of their own.
  const groups = [true, false].map((hash) => ({
    hash,
    paths: files.map(({ file }) => file).filter((file) => suspects.has(file) === hash),
  }));
  const tasks = groups.flatMap(({ hash, paths }) =>
    Array.from({ length: Math.ceil(paths.length / chunkSize) }, (_, index) => ({
      hash,
      decode,
      files: paths.slice(index * chunkSize, (index + 1) * chunkSize),
    })),
  );
  const queue = tasks.values();
  const work = async () => {
    for (const task of queue) {
      if (signal?.aborted) throw cancelled();
      const results = await pool.inspect(task);
      task.files.forEach((file, index) => found.set(file, results[index] ?? {}));
      onProgress?.(found.size, files.length);
    }
  };
  await Promise.all(Array.from({ length: pool.threads }, work));
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
