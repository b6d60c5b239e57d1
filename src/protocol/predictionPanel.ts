import * as z from 'zod';
import {
  content,
  line,
  list,
  mostClasses,
  mostImages,
  mostListed,
  mostPicturePixels,
  picture,
  whole,
} from './bounded.ts';
import { classLabelSchema } from './checkpointMetadata.ts';
import { explanationSchema } from './explanation.ts';
import { failedPredictionSchema, imagePredictionSchema } from './prediction.ts';
import { cropCountSchema } from './serviceProtocol.ts';
import { precisions } from './trainingConfig.ts';

/** Messages between the prediction panel's page and its host, which replays everything after `ready`. */

/** A classifier that the panel's list offers. `id` is the host's. */
export const offeredSourceSchema = z.object({ id: line(), label: line(), description: line() });
export type OfferedSource = z.infer<typeof offeredSourceSchema>;

/** A prediction with its thumbnail as a data URL. */
export const shownPredictionSchema = z.object({ prediction: imagePredictionSchema, thumbnail: picture() });
export type ShownPrediction = z.infer<typeof shownPredictionSchema>;

const classIndex = whole(0, mostClasses - 1);

export const predictionPanelToPageSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('setup'),
    sources: list(offeredSourceSchema, mostListed),
    /** Id of the source in use; empty if the user has yet to choose one. */
    source: line(),
    crops: cropCountSchema,
    /** Whether the source is known to see whole images, so that there are no five crops to choose. */
    wholeImages: z.boolean(),
    topK: z.number().int(),
  }),
  /** The classes of the source in use; none while they are not known. */
  z.object({ type: z.literal('classes'), classes: list(classLabelSchema, mostClasses) }),
  /** Forgets all images and results: `images` says what is to be shown instead. */
  z.object({ type: z.literal('clear') }),
  /** Every image of the list, classified or not, and folders whose images are not known yet. */
  z.object({ type: z.literal('images'), images: list(line(), mostImages) }),
  z.object({
    type: z.literal('results'),
    predictions: list(shownPredictionSchema, mostImages),
    failed: list(failedPredictionSchema, mostImages),
  }),
  z.object({ type: z.literal('progress'), busy: z.boolean(), what: line(), done: z.number(), total: z.number() }),
  z.object({ type: z.literal('error'), message: line() }),
  z.object({ type: z.literal('preview'), image: line(), picture: picture() }),
  /** How far it is with saying where a class, by its index, was seen. */
  z.object({
    type: z.literal('explaining'),
    image: line(),
    index: classIndex,
    what: line(),
    done: z.number(),
    total: z.number().optional(),
  }),
  /** `precision` is that of the predictions; an explanation is always computed in float32. */
  z.object({ type: z.literal('explanation'), explanation: explanationSchema, precision: z.enum(precisions) }),
  /** Why it cannot be said. */
  z.object({ type: z.literal('unexplained'), image: line(), index: classIndex, reason: line() }),
]);
export type PredictionPanelToPage = z.infer<typeof predictionPanelToPageSchema>;

export const predictionPanelToHostSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('source'), id: line() }),
  /** Lets the user choose another checkpoint, network or ONNX file with quick picks. */
  z.object({ type: z.literal('chooseSource') }),
  z.object({ type: z.literal('crops'), crops: cropCountSchema }),
  /** URIs dropped on the page (`text/uri-list`). */
  z.object({ type: z.literal('dropped'), uris: list(line(), mostImages) }),
  /** Asks for files with the editor's dialog. */
  z.object({ type: z.literal('chooseImages') }),
  /** Classifies what of the list is not classified yet. */
  z.object({ type: z.literal('classify') }),
  /** Takes an image off the list; its file stays. */
  z.object({ type: z.literal('remove'), image: line() }),
  z.object({ type: z.literal('cancel') }),
  /** Asks where a class, by its index, was seen in an image; what was asked for before is cancelled. */
  z.object({ type: z.literal('explain'), image: line(), index: classIndex }),
  z.object({ type: z.literal('cancelExplaining') }),
  z.object({ type: z.literal('preview'), image: line(), size: whole(1, mostPicturePixels) }),
  z.object({ type: z.literal('open'), image: line() }),
  z.object({ type: z.literal('exportCsv'), content: content() }),
]);
export type PredictionPanelToHost = z.infer<typeof predictionPanelToHostSchema>;
