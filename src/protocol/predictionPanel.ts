import * as z from 'zod';
import { failedPredictionSchema, imagePredictionSchema } from './prediction.ts';
import { cropCountSchema } from './serviceProtocol.ts';

/** Messages between the prediction panel's page and its host, which replays everything after `ready`. */

/** A classifier that the panel's list offers. `id` is the host's. */
export const offeredSourceSchema = z.object({ id: z.string(), label: z.string(), description: z.string() });
export type OfferedSource = z.infer<typeof offeredSourceSchema>;

/** A prediction with its thumbnail as a data URL. */
export const shownPredictionSchema = z.object({ prediction: imagePredictionSchema, thumbnail: z.string() });
export type ShownPrediction = z.infer<typeof shownPredictionSchema>;

export const predictionPanelToPageSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('setup'),
    sources: z.array(offeredSourceSchema),
    /** Id of the source in use; empty if the user has yet to choose one. */
    source: z.string(),
    crops: cropCountSchema,
    topK: z.number().int(),
  }),
  /** Forgets all images and results: `images` says what is to be shown instead. */
  z.object({ type: z.literal('clear') }),
  /** Every image of the list, classified or not, and folders whose images are not known yet. */
  z.object({ type: z.literal('images'), images: z.array(z.string()) }),
  z.object({
    type: z.literal('results'),
    predictions: z.array(shownPredictionSchema),
    failed: z.array(failedPredictionSchema),
  }),
  z.object({ type: z.literal('progress'), busy: z.boolean(), what: z.string(), done: z.number(), total: z.number() }),
  z.object({ type: z.literal('error'), message: z.string() }),
  z.object({ type: z.literal('preview'), image: z.string(), picture: z.string() }),
]);
export type PredictionPanelToPage = z.infer<typeof predictionPanelToPageSchema>;

export const predictionPanelToHostSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('source'), id: z.string() }),
  /** Lets the user choose another checkpoint, network or ONNX file with quick picks. */
  z.object({ type: z.literal('chooseSource') }),
  z.object({ type: z.literal('crops'), crops: cropCountSchema }),
  /** URIs dropped on the page (`text/uri-list`). */
  z.object({ type: z.literal('dropped'), uris: z.array(z.string()) }),
  /** Asks for files with the editor's dialog. */
  z.object({ type: z.literal('chooseImages') }),
  /** Classifies what of the list is not classified yet. */
  z.object({ type: z.literal('classify') }),
  /** Takes an image off the list; its file stays. */
  z.object({ type: z.literal('remove'), image: z.string() }),
  z.object({ type: z.literal('cancel') }),
  z.object({ type: z.literal('preview'), image: z.string(), size: z.number().int() }),
  z.object({ type: z.literal('open'), image: z.string() }),
  z.object({ type: z.literal('exportCsv'), content: z.string() }),
]);
export type PredictionPanelToHost = z.infer<typeof predictionPanelToHostSchema>;
