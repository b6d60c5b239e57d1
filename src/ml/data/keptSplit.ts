import { createHash } from 'node:crypto';
import { splitNames, type SplitName } from '../../protocol/dataReport.ts';
import { maxHeaderImages, runSplitVersion, type CheckpointSplit, type RunSplit } from '../../protocol/runSplit.ts';
import type { DigestsOf } from './digestImages.ts';
import { digestAt, packDigests, unpackDigests } from './imageDigest.ts';
import type { Dataset } from './scanDataset.ts';
import type { SplitShares } from './stratifiedSplit.ts';
import { pathIn } from './pathIn.ts';

/** Where an image belongs, and how many images the run had of that content; more than these are copies that came later. */
export interface PlaceInSplit {
  readonly split: SplitName;
  readonly images: number;
  /** The same for all images of the content. */
  readonly key: number;
}

/** The split that a run drew, as one asks it. */
export interface KeptSplit extends SplitShares {
  readonly id: string;
  /** The data folder, absolute, as it was. */
  readonly data: string;
  readonly splitBy: Dataset['splitBy'];
  /** Numbers of images when it was drawn. */
  readonly images: Readonly<Record<SplitName, number>>;
  /**
   * The place of an image in the split, known by its content. Of copies in several splits those in later ones are known by
   * path and content; a copy under yet another path is in the first.
   */
  readonly placeOf: (path: string, digest: number | undefined) => PlaceInSplit | undefined;
  /** Whether the run had an image at a path, as far as its paths are known: a checkpoint's header has none. */
  readonly hasPath: (path: string) => boolean;
  /** The first split, in the order of use, that has a content. */
  readonly firstUseOf: (digest: number | undefined) => SplitName | undefined;
}

type Digests = Readonly<Record<SplitName, readonly number[]>>;

/** What a data set's split is to be kept as. `digests` has those of the samples, in their order. */
export function drawnSplit(dataset: Dataset, shares: SplitShares, digests: DigestsOf): RunSplit {
  const { seed, validShare, testShare } = shares;
  const paths = (name: SplitName) => dataset.splits[name].map(({ file }) => pathIn(dataset.root, file));
  const packed = (name: SplitName) => {
    // A file that cannot be read is known by its path alone.
    const own = dataset.splits[name].map(
      ({ file }) => digests(file) ?? digestAt(pathIn(dataset.root, file), undefined),
    );
    return packDigests(own);
  };
  return {
    version: runSplitVersion,
    data: dataset.root,
    splitBy: dataset.splitBy,
    ...{ seed, validShare, testShare },
    images: { train: paths('train'), valid: paths('valid'), test: paths('test') },
    digests: { train: packed('train'), valid: packed('valid'), test: packed('test') },
  };
}

/** What a checkpoint's header keeps of a split. */
export function splitForHeader(split: RunSplit): CheckpointSplit {
  const { splitBy, seed, validShare, testShare } = split;
  const images = countsOf(split.images);
  const few = images.train + images.valid + images.test <= maxHeaderImages;
  const keys = few ? keysOf(split) : undefined;
  return {
    id: idOf(split),
    ...{ splitBy, seed, validShare, testShare, images },
    ...(keys
      ? { digests: { train: packDigests(keys.train), valid: packDigests(keys.valid), test: packDigests(keys.test) } }
      : {}),
  };
}

/** The split of a run's folder. */
export function keptFromRun(split: RunSplit): KeptSplit {
  const paths = new Set(splitNames.flatMap((name) => split.images[name]));
  const facts = {
    ...split,
    id: idOf(split),
    images: countsOf(split.images),
    hasPath: (path: string) => paths.has(path),
  };
  return kept(facts, keysOf(split));
}

/** The split that a header keeps of images in `data`; undefined where it had too many images. */
export function keptFromHeader(split: CheckpointSplit, data: string): KeptSplit | undefined {
  const { digests } = split;
  if (!digests) return undefined;
  const facts = { ...split, data, hasPath: () => false };
  return kept(facts, {
    train: unpackDigests(digests.train),
    valid: unpackDigests(digests.valid),
    test: unpackDigests(digests.test),
  });
}

function kept(facts: Omit<KeptSplit, 'placeOf' | 'firstUseOf'>, keys: Digests): KeptSplit {
  const { id, data, splitBy, seed, validShare, testShare, images, hasPath } = facts;
  const places = new Map<number, PlaceInSplit>();
  for (const split of splitNames) {
    for (const key of keys[split]) places.set(key, { key, split, images: (places.get(key)?.images ?? 0) + 1 });
  }
  const placeOf = (digest: number | undefined) => (digest === undefined ? undefined : places.get(digest));
  return {
    ...{ id, data, splitBy, seed, validShare, testShare, images, hasPath },
    placeOf: (path, digest) => places.get(digestAt(path, digest)) ?? placeOf(digest),
    firstUseOf: (digest) => placeOf(digest)?.split,
  };
}

/** By what images are known: the digest, or, where an earlier split has it too, that of path and digest together. */
function keysOf({ images, digests }: Pick<RunSplit, 'images' | 'digests'>): Digests {
  const unpacked = { train: unpackDigests(digests.train), valid: unpackDigests(digests.valid), test: unpackDigests(digests.test) }; // prettier-ignore
  const first = new Map<number, SplitName>();
  for (const name of splitNames) {
    for (const digest of unpacked[name]) if (!first.has(digest)) first.set(digest, name);
  }
  const keys = (name: SplitName) =>
    unpacked[name].map((digest, at) =>
      first.get(digest) === name ? digest : digestAt(images[name][at] ?? '', digest),
    );
  return { train: keys('train'), valid: keys('valid'), test: keys('test') };
}

function countsOf(images: RunSplit['images']): Record<SplitName, number> {
  return { train: images.train.length, valid: images.valid.length, test: images.test.length };
}

function idOf({ images, digests }: RunSplit): string {
  const hash = createHash('sha256');
  for (const name of splitNames) hash.update(`${name} ${digests[name]}\n${images[name].join('\n')}\n`);
  return hash.digest('hex').slice(0, 16);
}
