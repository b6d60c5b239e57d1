import { lstat, readdir } from 'node:fs/promises';
import { basename, extname, join, relative, sep } from 'node:path';
import { type DataEdit, type EditStep, journalFile } from '../../protocol/dataEdits.ts';
import { codeOf, userError } from '../../protocol/errors.ts';
import { ignoreFile, ignoreKey, ignoreLine, parseIgnoreList } from '../../protocol/ignoreList.ts';
import { isPassedOver } from '../../protocol/passedOver.ts';
import type { SplitName } from '../../protocol/dataReport.ts';
import { splitOfFolder } from '../../protocol/splitFolders.ts';
import { listFoldersAround, readIgnoreFile } from '../../runs/putAside.ts';
import { diskError } from '../../runs/diskError.ts';
import { hashOutside } from './copySteps.ts';
import { ignoreListStep, movedOnList } from './editSteps.ts';
import { requireNoLinks } from './requireInside.ts';

/** Whether the folders in a data folder are splits with classes inside, or classes. */
export type FoldersAre = 'splits' | 'classes';

type MoveStep = Extract<EditStep, { step: 'move' }>;

/**
 * What an edit changes on the disk; nothing is changed yet. Throws a user error where it cannot be made: what is named is
 * not there or a link, a class has a name that no folder can have, or there is such a class already.
 */
export async function planEdit(root: string, foldersAre: FoldersAre, edit: DataEdit): Promise<EditStep[]> {
  switch (edit.kind) {
    case 'keep':
      await requireImages(root, foldersAre, edit.images, 'links too');
      return [];
    case 'putAside':
      return planPutAside(root, foldersAre, edit.images);
    case 'label':
      return planLabels(root, foldersAre, edit.images, edit.to);
    case 'skip':
      for (const image of edit.images) await hashOutside(root, image);
      return [];
    case 'move':
      return withIgnoreList(root, await planMoves(root, foldersAre, edit.images, edit.to));
    case 'rename':
    case 'merge':
      return withIgnoreList(root, await planClass(root, foldersAre, edit));
  }
}

async function planPutAside(root: string, foldersAre: FoldersAre, images: readonly string[]): Promise<EditStep[]> {
  const before = await readIgnoreFile(root);
  const listed = parseIgnoreList(before ?? '');
  await requireImages(root, foldersAre, images, 'links too');
  for (const image of images) {
    if (/[\r\n]/u.test(image)) throw userError(`${image} has a line break in its name, which no list can name.`);
    if (listed.has(ignoreKey(image))) throw userError(`${image} is put aside already.`);
  }
  const start = before ?? '# Images and folders that Fivecrop leaves out, one path in a line.\n';
  const end = start === '' || start.endsWith('\n') ? '' : '\n';
  return ignoreListStep(
    before,
    `${start}${end}${[...new Set(images)].map((image) => `${ignoreLine(image)}\n`).join('')}`,
  );
}

async function planMoves(
  root: string,
  foldersAre: FoldersAre,
  images: readonly string[],
  to: string,
): Promise<EditStep[]> {
  requireClassName(to, foldersAre);
  await requireImages(root, foldersAre, images);
  const folders = new Map<string, { readonly taken: Set<string>; readonly isNew: boolean }>();
  const steps: EditStep[] = [];
  for (const image of new Set(images)) {
    const { parent, className, name } = partsOf(image, foldersAre);
    if (className === to) throw userError(`${image} is in the class ${to} already.`);
    const folder = `${parent}${to}`;
    const target = folders.get(folder) ?? (await lookInto(root, parent, to));
    if (target.isNew && !folders.has(folder)) steps.push({ step: 'makeFolder', folder });
    folders.set(folder, target);
    steps.push({ step: 'move', from: image, to: `${folder}/${freeName(name, target.taken)}` });
  }
  return steps;
}

/** Copies go to the training images, where the folders are splits. */
async function planLabels(
  root: string,
  foldersAre: FoldersAre,
  images: readonly string[],
  to: string,
): Promise<EditStep[]> {
  requireClassName(to, foldersAre);
  const steps: EditStep[] = [];
  const train = foldersAre === 'splits' ? ((await splitFolders(root, 'train'))[0] ?? 'train/') : '';
  if (train !== '' && (await namesIn(join(root, train))) === undefined) steps.push({ step: 'makeFolder', folder: train.slice(0, -1) }); // prettier-ignore
  const folder = `${train}${to}`;
  const { taken, isNew } = await lookInto(root, train, to);
  if (isNew) steps.push({ step: 'makeFolder', folder });
  for (const from of new Set(images)) {
    const sha256 = await hashOutside(root, from);
    steps.push({ step: 'copy', from, to: `${folder}/${freeName(basename(from), taken)}`, sha256 });
  }
  await requireUnlisted(root, steps.flatMap((step) => (step.step === 'copy' ? [{ path: step.to }] : []))); // prettier-ignore
  return steps;
}

/** What names are taken in a class's folder; it may be new. */
async function lookInto(root: string, parent: string, name: string) {
  await requireOneSpelling(root, parent, name);
  const names = await namesIn(join(root, parent, name));
  if (names !== undefined) await requireNoLinks(root, `${parent}${name}`);
  return { taken: new Set((names ?? []).map(alike)), isNew: names === undefined };
}

async function planClass(
  root: string,
  foldersAre: FoldersAre,
  { kind, from, to }: Extract<DataEdit, { kind: 'rename' | 'merge' }>,
): Promise<EditStep[]> {
  requireClassName(to, foldersAre);
  if (from === to) throw userError(`The class is called ${to} already.`);
  const parents = foldersAre === 'classes' ? [''] : await splitFolders(root);
  const has = async (name: string) => {
    const found = await Promise.all(parents.map(async (parent) => ((await namesIn(join(root, parent))) ?? []).includes(name))); // prettier-ignore
    return parents.filter((_, at) => found[at]);
  };
  const [sources, targets] = await Promise.all([has(from), has(to)]);
  if (sources.length === 0) throw userError(`There is no class ${from} in ${root}.`);
  if (kind === 'merge' && targets.length === 0)
    throw userError(`There is no class ${to} in ${root} to merge ${from} into.`);
  if (kind === 'rename' && targets.length > 0)
    throw userError(`There is a class ${to} already: merge ${from} into it.`);
  const steps: EditStep[] = [];
  for (const parent of sources) {
    await requireNoLinks(root, `${parent}${from}`);
    if (!targets.includes(parent)) {
      if (alike(from) !== alike(to)) await requireOneSpelling(root, parent, to);
      steps.push({ step: 'move', from: `${parent}${from}`, to: `${parent}${to}` });
      continue;
    }
    await requireNoLinks(root, `${parent}${to}`);
    const taken = new Set(((await namesIn(join(root, parent, to))) ?? []).map(alike));
    for (const name of ((await namesIn(join(root, parent, from))) ?? []).filter((each) => !isPassedOver(each)).sort()) {
      await requireNoLinks(root, `${parent}${from}/${name}`);
      steps.push({ step: 'move', from: `${parent}${from}/${name}`, to: `${parent}${to}/${freeName(name, taken)}` });
    }
    steps.push({ step: 'removeFolder', folder: `${parent}${from}` });
  }
  return steps;
}

/** What is put aside stays so where it is moved to, and nothing else becomes so. */
async function withIgnoreList(root: string, steps: readonly EditStep[]): Promise<EditStep[]> {
  const moves = steps.filter((step): step is MoveStep => step.step === 'move');
  await requireUnlisted(root, moves.flatMap(({ from, to }) => [{ path: from, isMoved: true }, { path: to }])); // prettier-ignore
  for (const { from } of moves) {
    if (alike(basename(from)) === alike(ignoreFile))
      throw userError(`${join(root, from)} lists what is put aside in its folder, and is not moved: move its lines into the list of ${root} first.`); // prettier-ignore
  }
  const before = await readIgnoreFile(root);
  if (before === undefined) return [...steps];
  return [...steps, ...ignoreListStep(before, movedOnList(before, moves))];
}

/** Throws a user error if the paths on a list would have to change in another way than the root's own list does. */
async function requireUnlisted(
  root: string,
  touched: readonly { readonly path: string; readonly isMoved?: boolean }[],
): Promise<void> {
  const lists = new Map<string, Promise<ListIn | undefined>>();
  const listIn = (folder: string) => {
    const list = lists.get(folder) ?? readList(folder);
    lists.set(folder, list);
    return list;
  };
  const around = listFoldersAround(root);
  for (const { path, isMoved = false } of touched) {
    const parents = path.split('/').slice(0, -1).map((_, at, parts) => join(root, ...parts.slice(0, at + 1))); // prettier-ignore
    for (const folder of [...around, root, ...parents]) {
      const list = await listIn(folder);
      // A line of the root's list is moved with what it names.
      if (list && covers(list, relative(folder, join(root, path)), isMoved && folder === root)) {
        throw userError(
          `${join(folder, ignoreFile)} puts ${join(root, path)} aside, or something in it, and the list would be wrong after this edit: remove that from the list first.`,
        );
      }
    }
  }
}

interface ListIn {
  readonly paths: ReadonlySet<string>;
  /** All folders around the paths. */
  readonly around: ReadonlySet<string>;
}

async function readList(folder: string): Promise<ListIn | undefined> {
  const paths = parseIgnoreList((await readIgnoreFile(folder)) ?? '');
  return paths.size === 0 ? undefined : { paths, around: new Set([...paths].flatMap(foldersAround)) };
}

function covers({ paths, around }: ListIn, path: string, isMovable: boolean): boolean {
  const key = ignoreKey(path.split(sep).join('/'));
  return foldersAround(key).some((folder) => paths.has(folder)) || (!isMovable && (paths.has(key) || around.has(key)));
}

/** Of `a/b/1.jpg`: `a` and `a/b`. */
function foldersAround(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(1).map((_, at) => parts.slice(0, at + 1).join('/'));
}

/** The folders of the splits, or of one of them, each with a `/` behind its name. */
async function splitFolders(root: string, only?: SplitName): Promise<string[]> {
  const isWanted = (split: SplitName | undefined) => split !== undefined && (only === undefined || split === only);
  return ((await namesIn(root)) ?? []).filter((name) => isWanted(splitOfFolder(name))).sort().map((name) => `${name}/`); // prettier-ignore
}

/** Of `train/rose/1.jpg` the parent of the class's folder, `train/`, the class, and the file's own name. */
function partsOf(image: string, foldersAre: FoldersAre) {
  const parts = image.split('/');
  const depth = foldersAre === 'splits' ? 1 : 0;
  const className = parts[depth] ?? '';
  return { parent: depth === 1 ? `${parts[0] ?? ''}/` : '', className, name: parts.at(-1) ?? '' };
}

async function requireImages(root: string, foldersAre: FoldersAre, images: readonly string[], links?: 'links too') {
  const names = new Map<string, ReadonlySet<string>>();
  for (const image of images) {
    await requireImage(root, foldersAre, image);
    await requireSpelling(root, image, names);
    if (!links) await requireNoLinks(root, image);
  }
}

async function requireImage(root: string, foldersAre: FoldersAre, image: string): Promise<void> {
  const parts = image.split('/');
  const isInside = parts.every((part) => part !== '' && part !== '.' && part !== '..') && !image.includes('\0');
  if (!isInside || parts.length < (foldersAre === 'splits' ? 3 : 2)) {
    throw userError(`${image} is not in a class folder of ${root}; name an image by its path in the data folder.`);
  }
  const path = join(root, image);
  const status = await lstat(path).catch((error: unknown) => {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) return undefined;
    throw diskError(error, path);
  });
  if (!status) throw userError(`${path} is gone: somebody else has moved or deleted it.`);
  if (status.isDirectory())
    throw userError(`${path} is a folder; name the images in it, or rename or merge the class.`);
}

/** A disk that does not tell upper from lower case finds an image by a path that the ignore list does not know it by. */
async function requireSpelling(root: string, image: string, names: Map<string, ReadonlySet<string>>): Promise<void> {
  const parts = image.split('/');
  for (const [depth, part] of parts.entries()) {
    const folder = join(root, ...parts.slice(0, depth));
    const known = names.get(folder) ?? new Set(((await namesIn(folder)) ?? []).map(ignoreKey));
    names.set(folder, known);
    if (!known.has(ignoreKey(part))) {
      throw userError(
        `${join(folder, part)} is spelled differently on the disk: name the image as it is spelled there.`,
      );
    }
  }
}

/** Disks and people take names for one that differ in case or in how they are spelled alone. */
async function requireOneSpelling(root: string, parent: string, name: string): Promise<void> {
  const other = ((await namesIn(join(root, parent))) ?? []).find(
    (each) => each !== name && alike(each) === alike(name),
  );
  if (other !== undefined) {
    throw userError(`There is ${parent}${other} already, whose name differs from ${name} only in case or spelling.`);
  }
}

function requireClassName(name: string, foldersAre: FoldersAre): void {
  const isBad =
    // eslint-disable-next-line no-control-regex
    /[/\\\u0000-\u001F\u007F]|[ .]$|^ /u.test(name) || isPassedOver(name) || Buffer.byteLength(name) > 255 || [ignoreFile, journalFile].map(alike).includes(alike(name)); // prettier-ignore
  if (isBad) throw userError(`A class cannot be called “${name}”, because no folder of images can.`);
  if (foldersAre === 'classes' && splitOfFolder(name)) {
    throw userError(`A class cannot be called ${name} here: the folder would be read as a split.`);
  }
}

/** The names in a folder; undefined if it is not there. */
async function namesIn(folder: string): Promise<string[] | undefined> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    if (codeOf(error) === 'ENOTDIR') throw userError(`${folder} is a file and has to be a folder.`, error);
    throw diskError(error, folder);
  }
}

function alike(name: string): string {
  return name.normalize('NFC').toLowerCase();
}

/** The name, or one with a number if it is taken: `1 (2).jpg`. It is taken then. */
function freeName(name: string, taken: Set<string>): string {
  const ending = extname(name);
  const stem = name.slice(0, name.length - ending.length);
  let free = name;
  for (let number = 2; taken.has(alike(free)); number++) free = `${stem} (${number})${ending}`;
  taken.add(alike(free));
  return free;
}
