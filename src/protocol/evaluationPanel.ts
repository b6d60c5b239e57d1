import * as z from 'zod';
import { between, content, count, line, list, mostListed, mostPicturePixels, picture, whole } from './bounded.ts';
import { confidenceCalibrationSchema } from './confidenceCalibration.ts';
import { splitNames } from './dataReport.ts';
import { evaluationSchema } from './evaluation.ts';
import { imageTableSchema } from './imageTable.ts';
import { keptProbabilitiesSchema } from './keptProbabilities.ts';
import { cropCountSchema } from './serviceProtocol.ts';

/** Most images that the page is told to show, as it keeps their paths over a reload. */
export const mostShownImages = 1000;

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
    /** What the checkpoint keeps of its confidence. */
    calibration: confidenceCalibrationSchema.optional(),
    /** Without their probabilities, which the page asks for. */
    evaluations: list(evaluationSchema, mostListed),
  }),
  /** The probabilities of a test, by its time and crops; without them if it keeps none. */
  z.object({
    type: z.literal('probabilities'),
    time: line(),
    crops: cropCountSchema,
    probabilities: keptProbabilitiesSchema.optional(),
  }),
  /** The table whose columns images can be told apart by. */
  z.object({ type: z.literal('table'), table: imageTableSchema }),
  /** Shows one of the tests, and images of it, of which there are `of` and these are the first. */
  z.object({
    type: z.literal('show'),
    data: line(),
    split: z.enum(splitNames),
    crops: cropCountSchema,
    images: z.object({ title: line(), paths: list(line(), mostShownImages), of: count() }).optional(),
  }),
  z.object({ type: z.literal('progress'), busy: z.boolean(), what: line(), done: z.number(), total: z.number() }),
  z.object({ type: z.literal('error'), message: line() }),
  z.object({ type: z.literal('picture'), image: line(), picture: picture() }),
]);
export type EvaluationPanelToPage = z.infer<typeof evaluationPanelToPageSchema>;

/** Tests of one folder and split. */
const testsSchema = z.object({ data: line(), split: z.enum(splitNames), crops: list(cropCountSchema, 2) });

export const evaluationPanelToHostSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  /** Tests again with these crops. */
  z.object({ type: z.literal('test'), crops: cropCountSchema }),
  /** Fits a temperature, and a threshold for an error, then makes the tests again that are shown. */
  z.object({ type: z.literal('calibrate'), targetError: between(0, 1).optional(), again: testsSchema }),
  /** Takes temperature and threshold out of the checkpoint, then makes the tests again that are shown. */
  z.object({ type: z.literal('uncalibrate'), again: testsSchema }),
  z.object({ type: z.literal('cancel') }),
  z.object({ type: z.literal('probabilities'), time: line(), crops: cropCountSchema }),
  /** Asks for a CSV file. */
  z.object({ type: z.literal('chooseTable') }),
  z.object({ type: z.literal('open'), image: line() }),
  z.object({ type: z.literal('reveal'), image: line() }),
  /** Opens *Clean Data* on a data folder. */
  z.object({ type: z.literal('clean'), data: line() }),
  z.object({ type: z.literal('picture'), image: line(), size: whole(1, mostPicturePixels) }),
  /** Saves a file: a row per image or class, the confusion matrix, or curves; text, or base64 for PNG. */
  z.object({
    type: z.literal('export'),
    what: z.enum(['images', 'classes', 'confusions', 'curves']),
    format: z.enum(['csv', 'png', 'svg']),
    content: content(),
  }),
]);
export type EvaluationPanelToHost = z.infer<typeof evaluationPanelToHostSchema>;
