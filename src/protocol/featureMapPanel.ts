import * as z from 'zod';
import { between, line, list, mostImages, mostListed, mostPicturePixels, path, picture, whole } from './bounded.ts';
import { featureMapSchema } from './featureMap.ts';

/** Messages between the page that shows a feature map and its host, which replays after `ready`. */

/** What a checkpoint said of a folder's images when it was tested on some of them. */
const mapTestSchema = z.object({
  /** Which images, and how many crops of each. */
  title: line(),
  images: list(
    z.object({
      /** Relative to the data folder, with `/`. */
      image: path(),
      /** The class that was predicted, as people read it. */
      predicted: line(),
      probability: between(0, 1),
      isRight: z.boolean(),
    }),
    mostImages,
  ),
});
export type MapTest = z.infer<typeof mapTestSchema>;

export const featureMapPanelToPageSchema = z.discriminatedUnion('type', [
  /** Whose features the map is of, of those on offer; empty for none yet. */
  z.object({
    type: z.literal('sources'),
    label: line(),
    sources: list(z.object({ id: line(), label: line(), description: line() }), mostListed),
    source: line(),
    /** Whether those features were trained on this folder, so that they know its labels. */
    isTrainedOnData: z.boolean(),
  }),
  z.object({ type: z.literal('map'), map: featureMapSchema }),
  /** The newest tests of the checkpoint whose features these are on this folder; none for any other network. */
  z.object({ type: z.literal('tests'), tests: list(mapTestSchema, mostListed) }),
  z.object({ type: z.literal('progress'), busy: z.boolean(), what: line(), done: z.number(), total: z.number() }),
  z.object({ type: z.literal('error'), message: line() }),
  z.object({ type: z.literal('picture'), image: line(), size: whole(1, mostPicturePixels), picture: picture() }),
]);
export type FeatureMapPanelToPage = z.infer<typeof featureMapPanelToPageSchema>;

export const featureMapPanelToHostSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('source'), id: line() }),
  z.object({ type: z.literal('chooseSource') }),
  /** Computes the map, or looks again whether the folder has changed. */
  z.object({ type: z.literal('look') }),
  z.object({ type: z.literal('cancel') }),
  /** Opens *Clean Data* with these images, which are relative to the data folder. */
  z.object({ type: z.literal('clean'), images: list(path(), mostImages) }),
  /** These are absolute. */
  z.object({ type: z.literal('open'), image: line() }),
  z.object({ type: z.literal('reveal'), image: line() }),
  z.object({ type: z.literal('picture'), image: line(), size: whole(1, mostPicturePixels) }),
]);
export type FeatureMapPanelToHost = z.infer<typeof featureMapPanelToHostSchema>;
