import * as z from 'zod';
import { line, list, mostListed, mostPicturePixels, picture, whole } from './bounded.ts';
import { offeredSourceSchema } from './predictionPanel.ts';

/** Messages that the pages share which judge the images of a folder by a network's features. */

/** Whose features are used, of those on offer. */
export const featureSourcesSchema = z.object({
  type: z.literal('sources'),
  data: line(),
  sources: list(offeredSourceSchema, mostListed),
  /** Empty for none yet. */
  source: line(),
  /** Whether those features were trained on the data, so that they know its labels. */
  isTrainedOnData: z.boolean(),
});
export type FeatureSources = z.infer<typeof featureSourcesSchema>;

export const featureProgressSchema = z.object({
  type: z.literal('progress'),
  busy: z.boolean(),
  what: line(),
  done: z.number(),
  total: z.number(),
});
export type FeatureProgress = z.infer<typeof featureProgressSchema>;

const arrivedPictureSchema = z.object({
  type: z.literal('picture'),
  image: line(),
  size: whole(1, mostPicturePixels),
  picture: picture(),
});
export type ArrivedPicture = z.infer<typeof arrivedPictureSchema>;

export const featurePanelToPage = [featureProgressSchema, arrivedPictureSchema] as const;

export const featurePanelToHost = [
  z.object({ type: z.literal('ready') }),
  /** Asks for the figures anew: they come when the host has them, if the user does not change their mind. */
  z.object({ type: z.literal('look') }),
  z.object({ type: z.literal('source'), id: line() }),
  z.object({ type: z.literal('chooseSource') }),
  z.object({ type: z.literal('cancel') }),
  /** An image by its path as the page was given it, here and in the next. */
  z.object({ type: z.literal('open'), image: line() }),
  z.object({ type: z.literal('picture'), image: line(), size: whole(1, mostPicturePixels) }),
] as const;
/** What is done in the same way for every such page. */
export type FeaturePanelToHost = Exclude<z.infer<(typeof featurePanelToHost)[number]>, { type: 'ready' }>;
