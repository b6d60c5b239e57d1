import * as z from 'zod';

/** A part of an axis, 0 at its lower end and 1 at its upper one. */
const partSchema = z.object({ low: z.number(), high: z.number() });
export type Part = z.infer<typeof partSchema>;

/** What the page keeps when it is hidden. */
export const sweepPageStateSchema = z.object({
  /** Pixels by which the page was scrolled. */
  scroll: z.number().default(0),
  /** The parts of axes outside of which trials are left out, by what an axis shows. */
  filters: z.record(z.string(), partSchema).default({}),
  order: z.object({ column: z.number(), descending: z.boolean() }).default({ column: 1, descending: true }),
});
export type SweepPageState = z.infer<typeof sweepPageStateSchema>;
