import * as z from 'zod';
import { splitNames } from '../../protocol/dataReport.ts';
import { xAxes } from '../../charts/xAxis.ts';

/** What the page keeps when it is hidden or the window reloads. */
export const trainingPageStateSchema = z.object({
  /** Weight of the smoothing, 0 to 1. */
  smoothing: z.number().min(0).max(0.999).default(0.6),
  logScale: z.boolean().default(false),
  /** What the x axis of the charts counts. */
  axis: z.enum(xAxes).default('step'),
  /** Whether the charts of learning rate and speed are unfolded. */
  further: z.boolean().default(false),
  /** The part of the axis that is zoomed to. */
  zoom: z.object({ min: z.number(), max: z.number() }).optional(),
  /** The tests by which runs are compared. */
  tests: z
    .object({ split: z.enum(splitNames), crops: z.union([z.literal(1), z.literal(5)]) })
    .default({ split: 'test', crops: 1 }),
  /** Of two runs, by their places, the images that one got right and the other wrong. */
  disputed: z.object({ right: z.number().int(), wrong: z.number().int() }).optional(),
  /** Of the table of classes; a column that there is not is the last, the difference. */
  comparedOrder: z.object({ column: z.number().int(), descending: z.boolean() }).default({ column: 1000, descending: true }), // prettier-ignore
  hidden: z.array(z.string()).default([]),
  /** How far the page is scrolled, in pixels. */
  scroll: z.number().min(0).default(0),
});
export type TrainingPageState = z.infer<typeof trainingPageStateSchema>;
