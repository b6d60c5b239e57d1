import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { SplitName } from '../../protocol/dataReport.ts';
import { userError } from '../../protocol/errors.ts';
import { isImageFile } from '../../protocol/imageFiles.ts';
import { createLeft, type FoundImages, type LabelledImage } from './labelledImage.ts';
import { readMatFile } from './matFile.ts';

/*
 * The layout in which the Oxford flowers are published (https://www.robots.ox.ac.uk/~vgg/data/flowers/102/): images
 * `jpg/image_00001.jpg` and so on, their classes in `imagelabels.mat`, and, for splits, their numbers in `setid.mat`.
 */

const files = { labels: 'imagelabels.mat', splits: 'setid.mat', images: 'jpg' } as const;

/** Whether a file of this name says labels or splits in that layout. */
export function isFlowersFile(name: string): boolean {
  return name === files.labels || name === files.splits;
}

/** The lists of `setid.mat`. */
const lists: readonly (readonly [name: string, split: SplitName])[] = [
  ['trnid', 'train'],
  ['valid', 'valid'],
  ['tstid', 'test'],
];

/**
 * The images of a folder in the layout of the Oxford flowers; undefined where it has no `imagelabels.mat`, or no image with
 * a number to which that could give a class.
 * `images` is where the images are, `jpg` in the folder without it. Throws a user error where its files do not fit one another.
 */
export async function flowersImages(root: string, images?: string): Promise<FoundImages | undefined> {
  const names = await readdir(root);
  if (!names.includes(files.labels)) return undefined;
  const folder = images ?? (names.includes(files.images) ? join(root, files.images) : root);
  const inFolder = await readdir(folder).catch((error: unknown) => {
    throw userError(`${folder} cannot be read as a folder of images: check the path.`, error);
  });
  if (!inFolder.some(isNumbered)) return undefined;
  const labelsFile = join(root, files.labels);
  const labels = (await readMatFile(labelsFile)).get('labels');
  if (!labels?.every((label) => Number.isInteger(label) && label > 0)) {
    throw userError(`${labelsFile} has no list “labels” of whole numbers from 1 on.`);
  }
  const splits = names.includes(files.splits) ? await readSplits(join(root, files.splits), labels.length) : undefined;
  const left = createLeft();
  const byNumber = new Map<number, string>();
  for (const name of inFolder) {
    if (!isImageFile(name)) continue;
    const number = numberOf(name);
    if (number !== undefined && number >= 1 && number <= labels.length) byNumber.set(number, join(folder, name));
    else left.add(`not one of the ${labels.length} images that ${files.labels} numbers`, name);
  }
  const found: LabelledImage[] = [];
  for (const [at, label] of labels.entries()) {
    const file = byNumber.get(at + 1);
    if (file === undefined) left.add('not there', `image_${String(at + 1).padStart(5, '0')}.jpg`);
    else if (splits && !splits.has(at + 1)) left.add(`in no split of ${files.splits}`, basename(file));
    else found.push({ file, label: String(label), split: splits?.get(at + 1) });
  }
  const says = splits
    ? `${files.labels} says the classes, ${files.splits} the splits.`
    : `${files.labels} says the classes.`;
  return { images: found, left: left.all(), notes: [says] };
}

/** Whether a file is called as an image whose class and split those files can say. */
export function isNumbered(name: string): boolean {
  return numberOf(name) !== undefined;
}

/** 7 of `image_00007.jpg`; undefined for other files. */
function numberOf(name: string): number | undefined {
  const digits = isImageFile(name) ? /^image_0*(\d+)\.\w+$/u.exec(name)?.[1] : undefined;
  return digits === undefined ? undefined : Number(digits);
}

async function readSplits(file: string, count: number): Promise<ReadonlyMap<number, SplitName>> {
  const found = await readMatFile(file);
  const splits = new Map<number, SplitName>();
  for (const [name, split] of lists) {
    for (const number of found.get(name) ?? []) {
      if (!Number.isInteger(number) || number < 1 || number > count) {
        throw userError(`${file} has the image ${number} in “${name}”, and ${files.labels} numbers 1 to ${count}.`);
      }
      const other = splits.get(number);
      if (other !== undefined && other !== split) throw userError(`${file} has the image ${number} in ${other} and ${split}: an image is in one split.`); // prettier-ignore
      splits.set(number, split);
    }
  }
  if (splits.size === 0) throw userError(`${file} has no lists “trnid”, “valid” and “tstid”.`);
  return splits;
}
