import * as z from 'zod';
import { cellValues } from './cellText.ts';
import { matrixClasses } from './matrixClasses.ts';
import { imageGroupSchema } from './imageGroup.ts';
import { slicesBySchema } from './shownSlices.ts';

/** What the page keeps when it is hidden or the window reloads. */
export const evaluationPageStateSchema = z.object({
  /** Data and split that are shown, as `testedKey` names them; the newest when left out. */
  tested: z.string().optional(),
  crops: z.union([z.literal(1), z.literal(5)]).default(5),
  order: z.object({ column: z.number().int(), descending: z.boolean() }).default({ column: 3, descending: false }),
  /** Whose images are shown. */
  group: imageGroupSchema.optional(),
  /** What the cells of the confusion matrix show. */
  cellValue: z.enum(cellValues).default('counts'),
  matrix: z.enum(matrixClasses).default('confused'),
  /** Least probability, in percent, with which an image must be of another class to be suspected. */
  suspicion: z.number().default(90),
  /** Confidence from which on predictions are accepted, or the error for which it is chosen. */
  reject: z
    .union([z.object({ threshold: z.number() }), z.object({ targetError: z.number() })])
    .default({ threshold: 0 }),
  slices: slicesBySchema.default({ by: 'brightness', pattern: '', column: '' }),
  /** Whose precision-recall and ROC curves are shown, and the threshold whose images are. */
  curves: z
    .object({ of: z.union([z.number().int(), z.enum(['macro', 'micro'])]), threshold: z.number() })
    .default({ of: 'macro', threshold: 0.5 }),
  /** The share of errors for which *Calibrate* chooses a threshold; none without it. */
  calibrateFor: z.number().optional(),
  /** Pixels by which the page and its table of classes were scrolled. */
  scroll: z.object({ page: z.number(), classes: z.number() }).default({ page: 0, classes: 0 }),
});
export type EvaluationPageState = z.infer<typeof evaluationPageStateSchema>;
