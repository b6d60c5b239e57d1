import { constants, copyFile, mkdir, rename, writeFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { cancelled, UserError } from '../../protocol/errors.ts';
import { withRegularFile } from '../../runs/boundedFile.ts';
import { diskError } from '../../runs/diskError.ts';
import { classNamesFile } from '../data/classNames.ts';
import { formatHeadBytes, formatOf } from '../data/imageFormat.ts';
import { classFolders, freeName } from './classFolders.ts';
import { createLeft, type FoundImages, type LabelledImage, type NotImported } from './labelledImage.ts';

export interface PlaceOptions {
  /** Moves the files: they are ours, on the same disk. */
  readonly move: boolean;
  /** What a file is called in a sentence. */
  readonly nameOf: (file: string) => string;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Images that were placed, and those that were not. */
export interface Placed {
  readonly images: number;
  readonly classes: number;
  readonly left: readonly NotImported[];
}

/** Files that are copied at the same time. */
const concurrency = 8;

/**
 * Puts images into the folders of their classes, `<class>/` or `train|valid|test/<class>/`, in a folder that is there, with
 * their names as far as these differ, and the classes' own names in `cat_to_name.json`. A file whose beginning is that of no
 * image that can be decoded is left out. Throws a user error where the disk refuses, and a `CancelledError`.
 */
export async function placeImages(
  folder: string,
  { images, names }: Pick<FoundImages, 'images' | 'names'>,
  options: PlaceOptions,
): Promise<Placed> {
  const { move, nameOf, onProgress, signal } = options;
  const left = createLeft();
  const bySplit = images.some(({ split }) => split !== undefined && split !== 'train');
  const wanted = images.filter((image) => {
    if (bySplit && image.split === undefined) left.add('in no split', nameOf(image.file));
    return !bySplit || image.split !== undefined;
  });
  const folders = classFolders(wanted.map(({ label }) => label));
  const placeOf = ({ label, split }: LabelledImage) => join(...(bySplit && split ? [split] : []), folders.get(label) ?? label); // prettier-ignore
  const taken = new Map<string, Set<string>>();
  const used = new Set<string>();
  const counts = { looked: 0, placed: 0 };
  /** Names are given in the order of the source, whichever file is copied first. */
  const plan = wanted.map((image) => {
    const inside = placeOf(image);
    const names = taken.get(inside) ?? new Set<string>();
    taken.set(inside, names);
    const ending = extname(image.file);
    return { image, inside, name: freeName(basename(image.file, ending), ending, names) };
  });
  const place = async ({ image, inside, name }: (typeof plan)[number]) => {
    const reason = await whyNotAnImage(image.file);
    onProgress?.(++counts.looked, plan.length);
    if (reason !== undefined) {
      left.add(reason, nameOf(image.file));
      return;
    }
    counts.placed++;
    used.add(image.label);
    await mkdir(join(folder, inside), { recursive: true });
    const to = join(folder, inside, name);
    // A copy shares its blocks with the original where the disk can do that.
    await (move
      ? rename(image.file, to)
      : copyFile(image.file, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE));
  };
  try {
    const queue = plan.values();
    let isBroken = false;
    const work = async () => {
      for (const next of queue) {
        if (signal?.aborted) throw cancelled();
        if (isBroken) return;
        await place(next).catch((error: unknown) => {
          isBroken = true;
          throw error;
        });
      }
    };
    const workers = Array.from({ length: concurrency }, work);
    // Nothing is written any more when the caller removes the folder.
    await Promise.allSettled(workers);
    await Promise.all(workers);
    const shown = [...used].map((label) => [folders.get(label) ?? label, names?.get(label) ?? label] as const);
    if (shown.some(([own, name]) => own !== name)) {
      await writeFile(join(folder, classNamesFile), `${JSON.stringify(Object.fromEntries(shown), undefined, 2)}\n`);
    }
  } catch (error) {
    throw diskError(error, folder);
  }
  return { images: counts.placed, classes: used.size, left: left.all() };
}

/** Undefined for what begins as an image does that can be decoded. */
async function whyNotAnImage(file: string): Promise<string | undefined> {
  try {
    return await withRegularFile(file, async (handle, size) => {
      if (size === 0) return 'empty';
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(formatHeadBytes), 0, formatHeadBytes, 0);
      const format = formatOf(buffer.subarray(0, bytesRead), file);
      return format.decoder === 'none' ? 'not an image that can be read, by its content' : undefined;
    });
  } catch (error) {
    if (error instanceof UserError) return 'cannot be opened';
    throw error;
  }
}
