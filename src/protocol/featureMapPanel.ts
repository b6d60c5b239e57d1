import * as z from 'zod';
import { between, line, list, mostImages, mostListed, path } from './bounded.ts';
import { featureMapSchema } from './featureMap.ts';
import { featurePanelToHost, featurePanelToPage, featureSourcesSchema } from './featurePanel.ts';

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
  featureSourcesSchema,
  ...featurePanelToPage,
  z.object({ type: z.literal('map'), map: featureMapSchema }),
  /** The newest tests of the checkpoint whose features these are on this folder; none for any other network. */
  z.object({ type: z.literal('tests'), tests: list(mapTestSchema, mostListed) }),
  z.object({ type: z.literal('error'), message: line() }),
]);
export type FeatureMapPanelToPage = z.infer<typeof featureMapPanelToPageSchema>;

/** Images that are opened, revealed or shown are named by absolute paths. */
export const featureMapPanelToHostSchema = z.discriminatedUnion('type', [
  ...featurePanelToHost,
  /** Opens *Clean Data* with these images, which are relative to the data folder. */
  z.object({ type: z.literal('clean'), images: list(path(), mostImages) }),
  z.object({ type: z.literal('reveal'), image: line() }),
]);
export type FeatureMapPanelToHost = z.infer<typeof featureMapPanelToHostSchema>;
