import * as z from 'zod';

/** What the page keeps when it is hidden or the window reloads. */
export const labellingPageStateSchema = z.object({
  /** The image that is shown large, by its path. */
  selected: z.string().optional(),
  /** Pixels by which the list and the page were scrolled. */
  scroll: z.object({ list: z.number(), page: z.number() }).default({ list: 0, page: 0 }),
});
export type LabellingPageState = z.infer<typeof labellingPageStateSchema>;
