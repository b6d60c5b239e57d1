import * as z from 'zod';
import { content, line, list, mostListed, mostPicturePixels, picture, whole } from './bounded.ts';
import { evaluationSchema } from './evaluation.ts';

/** Messages between the page that shows a checkpoint's test results and its host, which replays after `ready`. */

export const evaluationPanelToPageSchema = z.discriminatedUnion('type', [
  /** All results that are kept with the checkpoint, newest first: splits, one crop and five. */
  z.object({
    type: z.literal('evaluations'),
    label: line(),
    /** When the checkpoint was written: a result from before is that of another one. */
    written: line().optional(),
    /** Why nothing can be tested now, if so. */
    refusal: line().optional(),
    /** Whether the network sees whole images, so that there are no five crops to test with. */
    wholeImages: z.boolean(),
    evaluations: list(evaluationSchema, mostListed),
  }),
  z.object({ type: z.literal('progress'), busy: z.boolean(), what: line(), done: z.number(), total: z.number() }),
  z.object({ type: z.literal('error'), message: line() }),
  z.object({ type: z.literal('picture'), image: line(), picture: picture() }),
]);
export type EvaluationPanelToPage = z.infer<typeof evaluationPanelToPageSchema>;

export const evaluationPanelToHostSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  /** Tests again with these crops. */
  z.object({ type: z.literal('test'), crops: z.union([z.literal(1), z.literal(5)]) }),
  z.object({ type: z.literal('cancel') }),
  z.object({ type: z.literal('open'), image: line() }),
  z.object({ type: z.literal('reveal'), image: line() }),
  /** Opens *Clean Data* on a data folder. */
  z.object({ type: z.literal('clean'), data: line() }),
  z.object({ type: z.literal('picture'), image: line(), size: whole(1, mostPicturePixels) }),
  /** Saves a file: a row per image or class, or the confusion matrix; text, or base64 for PNG. */
  z.object({
    type: z.literal('export'),
    what: z.enum(['images', 'classes', 'confusions']),
    format: z.enum(['csv', 'png', 'svg']),
    content: content(),
  }),
]);
export type EvaluationPanelToHost = z.infer<typeof evaluationPanelToHostSchema>;
