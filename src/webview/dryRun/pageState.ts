import * as z from 'zod';

/** What the page keeps when it is hidden. */
export const dryRunPageStateSchema = z.object({
  /** Pixels by which the page was scrolled. */
  scroll: z.number().default(0),
});
export type DryRunPageState = z.infer<typeof dryRunPageStateSchema>;
