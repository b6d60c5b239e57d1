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
});
export type PredictionPageState = z.infer<typeof predictionPageStateSchema>;
