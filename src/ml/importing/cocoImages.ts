import { basename, dirname, extname, join, resolve } from 'node:path';
import * as z from 'zod';
import { list, mostClasses, mostImages, name, path } from '../../protocol/bounded.ts';
import type { SplitName } from '../../protocol/dataReport.ts';
import { userError } from '../../protocol/errors.ts';
import { someOf } from '../../protocol/someOf.ts';
import { createLeft, type FoundImages, type LabelledImage } from './labelledImage.ts';
import { createLocator, findBase } from './locateFiles.ts';
import type { JsonObject } from './readTable.ts';

const id = z.union([z.number(), z.string().max(1000)]);

/** What COCO's format says of images and their objects, as far as it says classes (https://cocodataset.org/#format-data). */
const cocoSchema = z.object({
  images: list(z.object({ id, file_name: path() }), mostImages),
  annotations: list(z.object({ image_id: id, category_id: id }), 10 * mostImages),
  categories: list(z.object({ id, name: name(1) }), mostClasses),
});

/** Whether a JSON object is of COCO's format. */
export function isCoco({ value }: JsonObject): boolean {
  return ['images', 'annotations', 'categories'].every((key) => Array.isArray(value[key]));
}

/**
 * The images of a COCO file whose objects are all of one category, each with that as its class; what has several or none
 * is left out. Throws a user error where the file is not of that format, and as `tableImages` does.
 */
export async function cocoImages(
  file: string,
  object: JsonObject,
  { images: folder, split }: { readonly images?: string | undefined; readonly split?: SplitName | undefined },
): Promise<FoundImages> {
  const parsed = cocoSchema.safeParse(object.value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw userError(`${file} is not of COCO’s format (${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}).`);
  }
  const { images, annotations, categories } = parsed.data;
  const names = new Map(categories.map((category) => [category.id, category.name]));
  const labels = new Map<string | number, Set<string>>();
  for (const { image_id: image, category_id: category } of annotations) {
    const label = names.get(category);
    if (label === undefined) throw userError(`${file} has an annotation of the category ${category}, which it does not name.`); // prettier-ignore
    labels.set(image, (labels.get(image) ?? new Set()).add(label));
  }
  const rowOf = (at: number) => `Image ${at + 1} of ${file}`;
  const places = folder === undefined ? placesOf(file) : [resolve(folder)];
  const base = await findBase(rowOf, places, images.map(({ file_name: path }) => path)); // prettier-ignore
  const locate = createLocator(base, rowOf);
  const left = createLeft();
  const found: LabelledImage[] = [];
  for (const [at, { id: image, file_name: path }] of images.entries()) {
    const [label, other] = labels.get(image) ?? [];
    const place = await locate(path, at);
    if (label === undefined) left.add('no category', path);
    else if (other !== undefined) left.add('several categories', path);
    else if (place === undefined) left.add('not there', path);
    else found.push({ file: place, label, split });
  }
  if (found.length === 0) {
    const why = left
      .all()
      .map(
        ({ files, reason }) =>
          `${files.length} ${files.length === 1 ? 'image' : 'images'}: ${reason} (${someOf(files)})`,
      );
    throw userError(`None of the images of ${file} can be imported from ${base}. ${why.join('; ')}. --images names their folder.`); // prettier-ignore
  }
  const notes = base === dirname(resolve(file)) ? [] : [`The images of ${basename(file)} are in ${base}.`];
  return { images: found, left: left.all(), notes };
}

/** Annotations often lie in a folder beside the images': `annotations/instances_val2017.json` and `val2017/`. */
function placesOf(file: string): string[] {
  const own = dirname(resolve(file));
  const stem = basename(file, extname(file)).replace(/^instances_/u, '');
  const roots = /^(?:annotations|labels)$/iu.test(basename(own)) ? [own, dirname(own)] : [own];
  return roots.flatMap((root) => [root, join(root, 'images'), join(root, stem)]);
}
