import * as z from 'zod';
import { cleaningKinds } from '../../protocol/cleaning.ts';

/** What the page keeps when it is hidden or the window reloads. */
export const cleaningPageStateSchema = z.object({
  /** Kind of the images that are shown. */
  kind: z.enum(cleaningKinds).default('label'),
  /** When the images were chosen on a map that the page showed last: see the message `chosen`. */
  chosenAt: z.number().optional(),
  /** Key of the item that is shown large. */
  selected: z.string().optional(),
  /** Pixels by which the list and the page were scrolled. */
  scroll: z.object({ list: z.number(), page: z.number() }).default({ list: 0, page: 0 }),
});
export type CleaningPageState = z.infer<typeof cleaningPageStateSchema>;
