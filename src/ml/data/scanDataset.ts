import { join, relative, resolve, sep } from 'node:path';
import type { ClassLabel } from '../../protocol/checkpointMetadata.ts';
import { splitNames } from '../../protocol/dataReport.ts';
import type { Finding, SplitName } from '../../protocol/dataReport.ts';
import { userError } from '../../protocol/errors.ts';
import { someOf } from '../../protocol/someOf.ts';
import { splitOfFolder } from '../../protocol/splitFolders.ts';
import type { Layout, TrainingConfig } from '../../protocol/trainingConfig.ts';
import { readClassNames } from './classNames.ts';
import { decideLayout } from './dataLayout.ts';
import type { FolderTree, LayoutDecision } from './dataLayout.ts';
import { leftOutFindings } from './leftOutFindings.ts';
import { splitClass } from './stratifiedSplit.ts';
import type { SplitShares } from './stratifiedSplit.ts';
import { walkImages } from './walkImages.ts';
import type { ImageCollector } from './walkImages.ts';

export interface Sample {
  /** Absolute path. */
  readonly file: string;
  /** Index into the data set's classes. */
  readonly classIndex: number;
}

export interface Dataset {
  /** Absolute path of the folder. */
  readonly root: string;
  /** Whether the folder itself says which image belongs to which split, or a seeded stratified split did. */
  readonly splitBy: 'folders' | 'seed';
  /** Share of the images that was to serve for validation where the folder has none. */
  readonly validShare: number;
  readonly classes: readonly ClassLabel[];
  readonly splits: Readonly<Record<SplitName, readonly Sample[]>>;
  /** Absolute paths of visible files that are no images by their names. */
  readonly notImages: readonly string[];
  /** Absolute paths of images that lie in no class folder. */
  readonly withoutClass: readonly string[];
  /** Class folders with images that are none of the classes asked for; their images are in no split. */
  readonly otherClasses: readonly string[];
  /** Images in those. */
  readonly otherImages: number;
  /** What the scan did and left out that a user would not guess from the folder. */
  readonly notes: readonly Finding[];
}

export interface ScanOptions extends SplitShares {
  /** JSON file that names the class folders; without it `cat_to_name.json` beside the data is used. */
  readonly classNames?: string;
  /**
   * Classes of a checkpoint: images are numbered by these, whatever folders are there; those of other class folders are
   * left out. Train images are not required.
   */
  readonly classes?: readonly ClassLabel[];
  /** Also takes a folder with fewer than two classes: images are to be labelled yet. */
  readonly mayBeEmpty?: boolean;
  /** What the folders are; seen by their names without it. */
  readonly layout?: Layout;
  /** How the same data was split before, which decides where the folders can be read either way. */
  readonly keptSplitBy?: Dataset['splitBy'] | undefined;
}

/** How a configuration has its data folder read. */
export function scanOptionsOf(
  config: Pick<TrainingConfig, 'validShare' | 'testShare' | 'seed' | 'layout' | 'classNames'>,
): ScanOptions {
  const { validShare, testShare, seed, layout, classNames } = config;
  return { validShare, testShare, seed, layout, ...(classNames === undefined ? {} : { classNames }) };
}

/** Images by class folder, each list sorted, as one split folder (or the unsplit folder) holds them. */
type ClassFiles = ReadonlyMap<string, readonly string[]>;
type SplitFiles = Record<SplitName, ClassFiles>;

/**
 * Lists a folder of images: `train|valid|test/<class>/...`, under any of the splits' usual names, or `<class>/...`, which
 * is split by seed. Classes are numbered in the plain string order of their folders, as torchvision's `ImageFolder` does
 * ("1", "10", "100", "2"). No file is opened. What is left out, and validation that is split off from train by seed, is
 * in `notes`.
 *
 * Throws a user error for a folder that does not exist or holds no images, that can be read in two ways, and for fewer
 * than two classes.
 */
export async function scanDataset(folder: string, options: ScanOptions): Promise<Dataset> {
  const root = resolve(folder);
  const { trees, loose, left } = await walkTrees(root);
  const names = await readClassNames(root, options.classNames);
  const { layout = 'auto', keptSplitBy } = options;
  const keptLayout = keptSplitBy && (keptSplitBy === 'folders' ? 'splits' : 'classes');
  const decision = decideLayout(root, trees, { layout, kept: keptLayout });
  const notes = [...layoutNotes(decision), ...leftOutFindings(root, left)];
  const found = decision.layout === 'splits' ? filesOfSplits(decision.splits) : undefined;
  const files = found ? withValidation(found, options, notes) : splitAll(filesOfClasses(trees), options);
  if (found) refuseCaseDifferences(root, decision, found);
  const withoutClass = [...loose, ...imagesWithoutClass(decision)].sort();
  const kept = options.classes?.map((label) => ({ ...label, name: names.get(label.folder) ?? label.name }));
  const classes = kept ?? labelClasses(files, names);
  if (!options.classes) notes.push(...emptyFolders(trees, decision));
  const { splits, others } = numberSamples(files, classes);
  const otherClasses = [...others.keys()].sort();
  const otherImages = [...others.values()].reduce((sum, images) => sum + images, 0);
  if (otherImages > 0 && countSamples(splits) === 0) throw unknownClasses({ root, otherClasses });
  if (options.mayBeEmpty !== true) checkDataset(root, trees, splits, classes, options.classes !== undefined);
  const splitBy = found ? 'folders' : 'seed';
  const { validShare } = options;
  const notImages = left.notImages.sort();
  return { root, splitBy, validShare, classes, splits, notImages, withoutClass, otherClasses, otherImages, notes };
}

/** The sentence for images of other classes than a run's, that are left out of the run's own data. */
export function otherClassesNote({ otherClasses, otherImages }: Dataset): string[] {
  if (otherImages === 0) return [];
  const images = otherImages === 1 ? '1 image is' : `${otherImages} images are`;
  return [
    `${images} in folders that are not classes of the run (${someOf(otherClasses)}) and ${otherImages === 1 ? 'is' : 'are'} left out; give a renamed folder its name back, or start a new run to have more classes.`,
  ];
}

/** What to say of a folder whose classes are not those of the checkpoint that it is for. */
export function unknownClasses({ root, otherClasses }: Pick<Dataset, 'root' | 'otherClasses'>): Error {
  const folders = otherClasses.length === 1 ? 'class folder' : 'class folders';
  return userError(
    `The ${folders} ${someOf(otherClasses)} of ${root} ${otherClasses.length === 1 ? 'is' : 'are'} unknown to the checkpoint; rename or remove ${otherClasses.length === 1 ? 'it' : 'them'}.`,
  );
}

/** Walks the folder: a tree for each folder inside it, and the images beside them. */
async function walkTrees(root: string) {
  const trees = new Map<string, FolderTree>();
  const loose: string[] = [];
  const deep = new Map<string, { tree: FolderTree; inside: string[]; images: string[] }>();

  /** Collects everything below a folder inside a tree in one list; what is named like a split is remembered. */
  const insideOf = (tree: FolderTree, path: string, images: string[]): ImageCollector => ({
    images,
    below: (name) => {
      const own = join(path, name);
      if (!splitOfFolder(name)) return insideOf(tree, own, images);
      const noted = { tree, inside: images, images: [] };
      deep.set(own, noted);
      return insideOf(tree, own, noted.images);
    },
  });
  const treeCollector = (name: string): ImageCollector => {
    const tree: FolderTree = { name, images: [], below: new Map(), deepSplits: [] };
    trees.set(name, tree);
    return {
      images: tree.images,
      below: (folder) => {
        const images: string[] = [];
        tree.below.set(folder, images);
        return insideOf(tree, join(root, name, folder), images);
      },
    };
  };
  const left = await walkImages(root, { images: loose, below: treeCollector }, inOrderOfUse(root));
  for (const [path, { tree, inside, images }] of [...deep].reverse()) {
    if (images.length > 0) tree.deepSplits.push(path);
    for (const file of images) inside.push(file);
  }
  for (const { below } of trees.values()) {
    for (const [name, images] of below) if (images.length === 0) below.delete(name);
  }
  // Texts beside the class folders, as the map of class names is, are nothing to report.
  const depthOf = (path: string) => relative(root, path).split(sep).length;
  const notImages = left.notImages.filter((path) => depthOf(path) > 2 || (depthOf(path) === 2 && !isSplitPath(root, path))); // prettier-ignore
  return { trees: [...trees.values()], loose, left: { ...left, notImages } };
}

function isSplitPath(root: string, path: string): boolean {
  return splitOfFolder(relative(root, path).split(sep)[0] ?? '') !== undefined;
}

/** Links in train are followed before those in validation and those in test: an image that is in two is trained on. */
function inOrderOfUse(root: string): (a: string, b: string) => number {
  const rank = (path: string) => {
    const split = splitOfFolder(relative(root, path).split(sep)[0] ?? '');
    return split ? splitNames.indexOf(split) : splitNames.length;
  };
  return (a, b) => rank(a) - rank(b) || (a < b ? -1 : 1);
}

function filesOfSplits(splits: ReadonlyMap<SplitName, FolderTree>): SplitFiles {
  const filesOf = (split: SplitName): ClassFiles =>
    new Map([...(splits.get(split)?.below ?? [])].map(([folder, images]) => [folder, images.sort()]));
  return { train: filesOf('train'), valid: filesOf('valid'), test: filesOf('test') };
}

function filesOfClasses(trees: readonly FolderTree[]): ClassFiles {
  const classes = trees.map(({ name, images, below }) => [name, [images, ...below.values()].flat().sort()] as const);
  return new Map(classes.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function imagesWithoutClass(decision: LayoutDecision): string[] {
  return decision.layout === 'splits' ? [...decision.splits.values()].flatMap(({ images }) => images) : [];
}

function layoutNotes(decision: LayoutDecision): Finding[] {
  if (decision.layout === 'classes') {
    const { likeSplit, sharedFolders } = decision;
    if (sharedFolders.length > 0) {
      const what = `All classes have the folders ${someOf(sharedFolders)}, whose images count as theirs.`;
      const todo = 'If those are the classes, arrange the images as <class>/ or train/<class>/.';
      return [{ level: 'warning', what, todo }];
    }
    if (likeSplit === undefined) return [];
    const what = `${likeSplit} is read as a class, because it has no class folders inside.`;
    const todo = `If it is a split, arrange the images as ${likeSplit}/<class>/.`;
    return [{ level: 'info', what, todo }];
  }
  const { strays } = decision;
  if (strays.length === 0) return [];
  const count = (tree: FolderTree) => [...tree.below.values()].reduce((sum, { length }) => sum + length, tree.images.length); // prettier-ignore
  const images = strays.reduce((sum, tree) => sum + count(tree), 0);
  const which = images === 1 ? '1 image is not in a split and is' : `${images} images are not in a split and are`;
  const what = `${which} left out (${someOf(strays.map(({ name }) => name).sort())}).`;
  return [{ level: 'warning', what, todo: 'Move what is to be used into train, valid or test.' }];
}

/** Folders in the places of classes that hold no image. */
function emptyFolders(trees: readonly FolderTree[], decision: LayoutDecision): Finding[] {
  if (decision.layout === 'splits') return [];
  const empty = trees.filter(({ images, below }) => images.length === 0 && below.size === 0).map(({ name }) => name);
  if (empty.length === 0) return [];
  const one = empty.length === 1;
  const which = one ? '1 folder holds no image and is not a class' : `${empty.length} folders hold no images and are not classes`; // prettier-ignore
  const what = `${which} (${someOf(empty.sort())}).`;
  return [{ level: 'info', what, todo: `Add images if ${one ? 'it' : 'they'} should be.` }];
}

/**
 * `train/Cat` and `test/cat` are one class under two names, unless some split has both. Throws a user error that names
 * them.
 */
function refuseCaseDifferences(root: string, decision: LayoutDecision, found: SplitFiles): void {
  if (decision.layout !== 'splits') return;
  const alike = (name: string) => name.normalize('NFC').trim().toLowerCase();
  const places = new Map<string, { name: string; path: string; split: SplitName }[]>();
  for (const [split, tree] of decision.splits) {
    for (const name of found[split].keys()) {
      const path = `${tree.name}/${name}`;
      places.set(alike(name), [...(places.get(alike(name)) ?? []), { name, path, split }]);
    }
  }
  for (const group of places.values()) {
    const other = group.find(({ name }) => name !== group[0]?.name);
    const apart = new Set(group.map(({ split }) => split)).size === group.length;
    if (!other || !apart) continue;
    throw userError(
      `${root} has the class folders ${group[0]?.path ?? ''} and ${other.path}, whose names differ only in case or spelling; give one class one name.`,
    );
  }
}

function splitAll(all: ClassFiles, shares: SplitShares): SplitFiles {
  const splits = {
    train: new Map<string, string[]>(),
    valid: new Map<string, string[]>(),
    test: new Map<string, string[]>(),
  };
  for (const [folder, files] of all) {
    const parts = splitClass(folder, files, shares);
    for (const name of splitNames) splits[name].set(folder, parts[name]);
  }
  return splits;
}

/** Takes validation images from train where the folders give none. */
function withValidation(found: SplitFiles, { validShare, seed }: SplitShares, notes: Finding[]): SplitFiles {
  if (countFiles(found.valid) > 0 || validShare === 0) return found;
  const parts = splitAll(found.train, { validShare, testShare: 0, seed });
  const taken = countFiles(parts.valid);
  if (taken > 0) {
    const what = `There is no validation folder, so ${taken} of the training images, drawn by seed, are used for validation.`;
    notes.push({ level: 'info', what, todo: 'Add valid/<class>/ folders to choose them yourself.' });
  }
  return { ...parts, test: found.test };
}

function countFiles(classes: ClassFiles): number {
  return [...classes.values()].reduce((sum, files) => sum + files.length, 0);
}

/** Every folder with at least one image in any split is a class. */
function labelClasses(files: SplitFiles, names: ReadonlyMap<string, string>): ClassLabel[] {
  const folders = new Set<string>();
  for (const split of splitNames) {
    for (const [folder, images] of files[split]) if (images.length > 0) folders.add(folder);
  }
  return [...folders].sort().map((folder, index) => ({ index, folder, name: names.get(folder) ?? folder }));
}

/** The images of the classes by split, and how many images other class folders have. */
function numberSamples(files: SplitFiles, classes: readonly ClassLabel[]) {
  const indexOf = new Map(classes.map(({ folder, index }) => [folder, index]));
  const splits: Record<SplitName, Sample[]> = { train: [], valid: [], test: [] };
  const others = new Map<string, number>();
  for (const split of splitNames) {
    for (const [folder, images] of [...files[split]].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (images.length === 0) continue;
      const classIndex = indexOf.get(folder);
      if (classIndex === undefined) others.set(folder, (others.get(folder) ?? 0) + images.length);
      else for (const file of images) splits[split].push({ file, classIndex });
    }
  }
  return { splits, others };
}

function countSamples({ train, valid, test }: Record<SplitName, readonly Sample[]>): number {
  return train.length + valid.length + test.length;
}

function checkDataset(
  root: string,
  trees: readonly FolderTree[],
  splits: Record<SplitName, readonly Sample[]>,
  classes: readonly ClassLabel[],
  known: boolean,
): void {
  if (countSamples(splits) === 0) {
    throw userError(`There are no images in class folders of ${root}; put them into <class>/ or train/<class>/.`);
  }
  if (known || classes.length > 1) return;
  const single = classes[0]?.folder ?? '';
  const inside = [...(trees.find(({ name, images }) => name === single && images.length === 0)?.below.keys() ?? [])];
  const hint = inside.length > 1 ? `, or name ${join(root, single)} as the data if ${someOf(inside.sort())} are the classes` : ''; // prettier-ignore
  throw userError(`${root} has the single class ${single}; a classifier needs two class folders or more${hint}.`);
}
