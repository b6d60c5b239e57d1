import * as z from 'zod';
import { between, count, list, mostImages, name, path, whole } from './bounded.ts';
import { splitNames } from './dataReport.ts';

/** Version of `split.json`; a newer one is refused. */
export const runSplitVersion = 1;

/** Bytes of an image's digest. */
export const digestBytes = 6;
/** Most images whose digests a checkpoint's header holds: 8 characters each. */
export const maxHeaderImages = 50_000;

/** Digests one after the other, in base64. */
const digests = z.string().regex(/^[A-Za-z0-9+/]*$/u);

const paths = list(path(), mostImages);

const drawn = {
  /** How the folders were read: as splits, or as classes that a seed splits. */
  splitBy: z.enum(['folders', 'seed']),
  seed: whole(0, Number.MAX_SAFE_INTEGER),
  validShare: between(0, 1),
  testShare: between(0, 1),
};

/**
 * Content of a run's `split.json`: which image of its data belongs to which split, drawn once and kept. Paths are relative
 * to the data folder, with `/`; an image is known again by its digest, of its size and pieces of its content, under any
 * path.
 */
export const runSplitSchema = z
  .object({
    version: z.literal(runSplitVersion),
    /** The data folder, absolute, as it was. */
    data: path(),
    ...drawn,
    images: z.object({ train: paths, valid: paths, test: paths }),
    /** In the order of `images`. */
    digests: z.object({ train: digests, valid: digests, test: digests }),
  })
  .refine(
    (split) =>
      splitNames.every((name) => split.digests[name].length === (split.images[name].length * digestBytes * 4) / 3),
    'the digests are not those of the images',
  );
export type RunSplit = z.infer<typeof runSplitSchema>;

/** What a checkpoint's header keeps of its run's split, so that a copy knows it too. */
export const checkpointSplitSchema = z.object({
  /** That of the `split.json` with the same split. */
  id: name(),
  ...drawn,
  /** Numbers of images. */
  images: z.object({ train: count(), valid: count(), test: count() }),
  /** What the images of each split are known by; absent where there are too many. */
  digests: z.object({ train: digests, valid: digests, test: digests }).optional(),
});
export type CheckpointSplit = z.infer<typeof checkpointSplitSchema>;
