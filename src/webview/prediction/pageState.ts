import * as z from 'zod';
import { rowOrders } from './predictionRows.ts';

/** What the page keeps when it is hidden or the window reloads. */
export const predictionPageStateSchema = z.object({
  order: z.enum(rowOrders).default('name'),
  descending: z.boolean().default(false),
  filter: z.string().default(''),
  onlyDisagreeing: z.boolean().default(false),
  /** Path of the selected image. */
  selected: z.string().optional(),
  /** Share of the picture that is covered where most of a class was seen. */
  opacity: z.number().min(0).max(1).default(0.6),
  /** Pixels by which the page, the list and what is shown of an image were scrolled. */
  scroll: z.object({ page: z.number(), list: z.number(), detail: z.number() }).default({ page: 0, list: 0, detail: 0 }),
});
export type PredictionPageState = z.infer<typeof predictionPageStateSchema>;
