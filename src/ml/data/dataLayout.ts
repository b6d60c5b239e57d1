import { join } from 'node:path';
import { splitNames, type SplitName } from '../../protocol/dataReport.ts';
import { userError } from '../../protocol/errors.ts';
import { someOf } from '../../protocol/someOf.ts';
import { hintAtSplit, splitOfFolder } from '../../protocol/splitFolders.ts';
import type { DecidedLayout, Layout } from '../../protocol/trainingConfig.ts';

/** A folder directly inside a data folder, with the images that were found in it. */
export interface FolderTree {
  readonly name: string;
  /** Images that lie in it directly. */
  readonly images: string[];
  /** Images by the folder inside it in which they lie, at any depth. */
  readonly below: Map<string, string[]>;
  /** Folders deeper inside that are named like splits, by path. */
  readonly deepSplits: string[];
}

export type LayoutDecision =
  | {
      readonly layout: 'splits';
      readonly splits: ReadonlyMap<SplitName, FolderTree>;
      /** Folders with images beside those of the splits. */
      readonly strays: readonly FolderTree[];
    }
  | {
      readonly layout: 'classes';
      /** A class that is called like a split. */
      readonly likeSplit?: string;
      /** Folders that lie inside every one of several classes, and so may be the classes. */
      readonly sharedFolders: readonly string[];
    };

export interface LayoutWish {
  readonly layout: Layout;
  /** What was decided before for the same data, which decides where the folders alone do not. */
  readonly kept?: DecidedLayout | undefined;
}

/**
 * Decides whether the folders of `root` are splits with class folders inside, or classes. Throws a user error with both
 * readings and the setting that decides where the folders can be read either way, and where a split lies there twice.
 */
export function decideLayout(root: string, trees: readonly FolderTree[], { layout, kept }: LayoutWish): LayoutDecision {
  const filled = trees.filter((tree) => tree.images.length > 0 || hasFolders(tree));
  const unclear = layout === 'auto' ? whyUnclear(root, filled) : undefined;
  if (unclear !== undefined && kept === undefined) {
    throw userError(`${unclear}; say which with --layout splits or --layout classes (the setting layout).`);
  }
  const wanted = unclear === undefined ? layout : (kept ?? layout);
  const named = filled.filter(({ name }) => splitOfFolder(name));
  const asSplits = wanted === 'splits' || (wanted === 'auto' && named.some(hasFolders));
  if (!asSplits) {
    const likeSplit = wanted === 'auto' ? named[0]?.name : undefined;
    const sharedFolders = wanted === 'auto' ? foldersInAll(filled) : [];
    return { layout: 'classes', ...(likeSplit === undefined ? {} : { likeSplit }), sharedFolders };
  }
  if (!named.some(hasFolders)) throw noSplits(root, named);
  return { layout: 'splits', splits: bySplit(root, named), strays: filled.filter((tree) => !named.includes(tree)) };
}

/** Two folders or more that all trees have, where images lie nowhere else. */
function foldersInAll(trees: readonly FolderTree[]): string[] {
  const [first, ...rest] = trees;
  if (!first || rest.length === 0 || trees.some(({ images }) => images.length > 0)) return [];
  const shared = [...first.below.keys()].filter((name) => rest.every(({ below }) => below.has(name))).sort();
  return shared.length > 1 ? shared : [];
}

function hasFolders({ below }: FolderTree): boolean {
  return below.size > 0;
}

function noSplits(root: string, named: readonly FolderTree[]): Error {
  const what = named.length === 0 ? 'no folder like train' : `no class folders in ${namesOf(named)}`;
  return userError(`${root} has ${what} to take splits from; put the images into train/<class>/.`);
}

function bySplit(root: string, named: readonly FolderTree[]): Map<SplitName, FolderTree> {
  const found = new Map<SplitName, FolderTree>();
  for (const split of splitNames) {
    const [tree, other] = named.filter(({ name }) => splitOfFolder(name) === split);
    if (tree && other) {
      const both = [tree.name, other.name].sort().join(' and ');
      const what = { train: 'training', valid: 'validation', test: 'testing' }[split];
      throw userError(`${root} has both ${both} for ${what}; keep one of them.`);
    }
    if (tree) found.set(split, tree);
  }
  return found;
}

function namesOf(trees: readonly FolderTree[]): string {
  return someOf(trees.map(({ name }) => name).sort());
}

/** The two ways in which folders can be read, where neither is the plain one. */
function whyUnclear(root: string, trees: readonly FolderTree[]): string | undefined {
  const named = trees.filter(({ name }) => splitOfFolder(name));
  const others = trees.filter((tree) => !named.includes(tree));
  if (named.some(hasFolders)) return unclearSplits(root, named, others);
  if (named.length > 0 && others.length === 0) {
    return `${root} has images directly in ${namesOf(named)}, which ${named.length === 1 ? 'is a split' : 'are splits'} without class folders, or ${named.length === 1 ? 'a class' : 'classes'}`;
  }
  if (named.length > 1) {
    return `${root} has images directly in ${namesOf(named)}, which are splits without class folders, or classes beside ${namesOf(others)}`;
  }
  return unclearClasses(root, trees);
}

function unclearSplits(root: string, named: readonly FolderTree[], others: readonly FolderTree[]): string | undefined {
  const split = named.filter(hasFolders);
  const classes = split.flatMap(({ below }) => [...below.keys()]);
  if (others.length > 0 && new Set(classes).size === classes.length) {
    return `${root}: ${namesOf(split)} can be ${split.length === 1 ? 'a split' : 'splits'} with the classes ${someOf(classes)}, or ${split.length === 1 ? 'a class' : 'classes'} beside ${namesOf(others)}`;
  }
  const nested = split.find(({ below }) => [...below.keys()].every((name) => splitOfFolder(name)));
  if (nested) {
    const inside = someOf([...nested.below.keys()].sort());
    return `${join(root, nested.name)} holds ${inside}, which can be classes, or splits inside another folder (then name that folder as the data)`;
  }
  return unclearInside(split.flatMap(({ deepSplits }) => deepSplits));
}

function unclearClasses(root: string, trees: readonly FolderTree[]): string | undefined {
  const inside = trees.find(({ images, below }) => images.length === 0 && isSplitFolder([...below.keys()]));
  if (inside && trees.length === 1) {
    return `${join(root, inside.name)} holds ${someOf([...inside.below.keys()].sort())}, which can be splits (then name that folder as the data), or parts of one class`;
  }
  const hinted = hintedSplits(trees.map(({ name }) => name));
  if (hinted) {
    return `${root}: ${someOf(hinted)} can be splits (then rename them to train, valid and test), or classes`;
  }
  return unclearInside(
    trees.flatMap(({ name, below, deepSplits }) => [
      ...[...below.keys()].filter((folder) => splitOfFolder(folder)).map((folder) => join(root, name, folder)),
      ...deepSplits,
    ]),
  );
}

function isSplitFolder(names: readonly string[]): boolean {
  return names.some((name) => splitOfFolder(name) === 'train');
}

function unclearInside(paths: readonly string[]): string | undefined {
  if (paths.length === 0) return undefined;
  const [what, be] = paths.length === 1 ? ['a split', 'lies'] : ['splits', 'lie'];
  return `${someOf([...paths].sort())} ${be} inside a class folder and can be ${what} of that class (then arrange the folders as train/<class>), or just a part of it`;
}

/** Names that differ in the split that a word of them says, as `seg_train` and `seg_test` do. */
function hintedSplits(names: readonly string[]): readonly string[] | undefined {
  const groups = new Map<string, { name: string; split: SplitName }[]>();
  for (const name of names) {
    const hint = hintAtSplit(name);
    if (hint) groups.set(hint.rest, [...(groups.get(hint.rest) ?? []), { name, split: hint.split }]);
  }
  const found = [...groups.values()].find((group) => {
    const splits = new Set(group.map(({ split }) => split));
    return splits.has('train') && splits.size > 1;
  });
  return found?.map(({ name }) => name);
}
