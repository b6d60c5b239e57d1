import type { DataReport, SplitName } from '../../protocol/dataReport.ts';
import type { DecodePool } from './decodePool.ts';
import { inChunks } from './inChunks.ts';
import { thumbnailsAgree } from './sketch.ts';
import type { Sketches } from './sketchbook.ts';

export interface CheckedFile {
  readonly file: string;
  readonly split: SplitName;
  readonly classIndex: number;
}

/** Files of one picture. */
interface Copies {
  readonly same: 'file' | 'picture';
  readonly files: readonly CheckedFile[];
}

interface FindOptions {
  readonly files: readonly CheckedFile[];
  /** Their sketches, in their order; without it only identical files are found. */
  readonly sketches?: Sketches;
  /** The hash of a file that may be identical to another one. */
  readonly hashOf: (file: string) => string | undefined;
  readonly pool: DecodePool;
  readonly signal?: AbortSignal;
}

/**
 * Groups of files that hold one picture and lie in different splits or classes: identical files, and those that were
 * re-encoded with the same picture. A file is in one group. A group by sketches is looked at once more in thumbnails.
 */
export async function findCopies(options: FindOptions): Promise<DataReport['duplicates']> {
  const pictures = await samePictures(options);
  const inPictures = new Set(pictures.flatMap(({ files }) => files));
  const identical = identicalFiles(options).filter(({ files }) => !files.every((file) => inPictures.has(file)));
  const order = new Map(options.files.map((file, index) => [file, index]));
  const first = ({ files: [file] }: Copies) => (file && order.get(file)) ?? 0;
  return [...identical, ...pictures]
    .sort((a, b) => first(a) - first(b))
    .map(({ same, files }) => ({
      files: files.map(({ file }) => file),
      same,
      acrossSplits: isAcross(files, ({ split }) => split),
      acrossClasses: isAcross(files, ({ classIndex }) => classIndex),
    }));
}

function isAcross(files: readonly CheckedFile[], of: (file: CheckedFile) => unknown): boolean {
  return new Set(files.map(of)).size > 1;
}

function matters(files: readonly CheckedFile[]): boolean {
  return isAcross(files, ({ split }) => split) || isAcross(files, ({ classIndex }) => classIndex);
}

function identicalFiles({ files, hashOf }: FindOptions): Copies[] {
  const byHash = new Map<string, CheckedFile[]>();
  for (const checked of files) {
    const hash = hashOf(checked.file);
    if (hash === undefined) continue;
    const others = byHash.get(hash);
    if (others) others.push(checked);
    else byHash.set(hash, [checked]);
  }
  return [...byHash.values()].filter(matters).map((group) => ({ same: 'file', files: group }));
}

async function samePictures(options: FindOptions): Promise<Copies[]> {
  const { sketches, files, pool, signal, hashOf } = options;
  if (!sketches) return [];
  const groups = (await pool.similar(sketches))
    .map((places) => places.flatMap((place) => files[place] ?? []))
    .filter(matters);
  const found: Copies[] = [];
  const areIdentical = ([first, ...rest]: readonly CheckedFile[]) => {
    const hash = first && hashOf(first.file);
    return hash !== undefined && rest.every(({ file }) => hashOf(file) === hash);
  };
  const threads = { threads: pool.threads, ...(signal ? { signal } : {}) };
  await inChunks(
    groups.filter((group) => !areIdentical(group)),
    { ...threads, size: 1 },
    async ([group = []]) => {
      for (const same of await sortByThumbnail(group, options)) {
        if (matters(same) && !areIdentical(same)) found.push({ same: 'picture', files: same });
      }
    },
  );
  return found;
}

/** Images that one thread is given at a time. */
const chunkSize = 32;
/** Pictures of one group that are told apart; what is none of them is left out. */
const mostPictures = 16;

/** Splits a group whose sketches agree into those whose thumbnails do. Identical files are looked at once. */
async function sortByThumbnail(
  group: readonly CheckedFile[],
  { hashOf, pool, signal }: FindOptions,
): Promise<CheckedFile[][]> {
  const pictures: { readonly thumbnail: Uint8Array; readonly files: CheckedFile[] }[] = [];
  const copiesOf = new Map<string, CheckedFile[]>();
  const firsts = group.filter((checked) => {
    const hash = hashOf(checked.file);
    const copies = hash === undefined ? undefined : copiesOf.get(hash);
    copies?.push(checked);
    if (hash !== undefined && !copies) copiesOf.set(hash, []);
    return !copies;
  });
  await inChunks(firsts, { size: chunkSize, threads: 1, ...(signal ? { signal } : {}) }, async (chunk) => {
    const thumbnails = await pool.thumbnails({ files: chunk.map(({ file }) => file) });
    for (const [index, checked] of chunk.entries()) {
      const thumbnail = thumbnails[index];
      if (!thumbnail) continue;
      const same = pictures.find((picture) => thumbnailsAgree(picture.thumbnail, thumbnail));
      if (same) same.files.push(checked);
      else if (pictures.length < mostPictures) pictures.push({ thumbnail, files: [checked] });
    }
  });
  const order = new Map(group.map((checked, index) => [checked, index]));
  return pictures.map(({ files }) =>
    files
      .flatMap((checked) => [checked, ...(copiesOf.get(hashOf(checked.file) ?? '') ?? [])])
      .sort((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0)),
  );
}
