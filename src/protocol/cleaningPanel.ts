import * as z from 'zod';
import { line, list, mostListed, mostPicturePixels, picture, whole } from './bounded.ts';
import { cleaningSchema } from './cleaning.ts';
import { dataEditSchema } from './dataEdits.ts';

/** Messages between the page that cleans a data folder and its host, which replays after `ready`. */

/** Whether it answers an `edit`, an `undo` or a `redo` of the page. */
const isAnswer = () => z.boolean();

export const cleaningPanelToPageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('cleaning'), cleaning: cleaningSchema, isAnswer: isAnswer() }),
  /** Whose features the head is fitted on, of those on offer; empty for none yet. */
  z.object({
    type: z.literal('sources'),
    label: line(),
    sources: list(z.object({ id: line(), label: line(), description: line() }), mostListed),
    source: line(),
    /** Whether those features were trained on this folder, so that they know its labels. */
    isTrainedOnData: z.boolean(),
  }),
  z.object({ type: z.literal('progress'), busy: z.boolean(), what: line(), done: z.number(), total: z.number() }),
  /** What was asked for last failed; no `cleaning` follows. */
  z.object({ type: z.literal('error'), message: line(), isAnswer: isAnswer() }),
  z.object({ type: z.literal('picture'), image: line(), size: whole(1, mostPicturePixels), picture: picture() }),
]);
export type CleaningPanelToPage = z.infer<typeof cleaningPanelToPageSchema>;

export const cleaningPanelToHostSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  /** These three are each answered by one `cleaning` or `error`. */
  z.object({ type: z.literal('edit'), edit: dataEditSchema }),
  z.object({ type: z.literal('undo') }),
  z.object({ type: z.literal('redo') }),
  /** The figures that follow from these come when the host has them, if the user does not change their mind. */
  z.object({ type: z.literal('look') }),
  /** Asks the user for another class of an image. */
  z.object({ type: z.literal('otherClass'), image: line() }),
  z.object({ type: z.literal('renameClass') }),
  z.object({ type: z.literal('mergeClass') }),
  z.object({ type: z.literal('source'), id: line() }),
  z.object({ type: z.literal('chooseSource') }),
  z.object({ type: z.literal('cancel') }),
  /** Relative to the data folder. */
  z.object({ type: z.literal('open'), image: line() }),
  z.object({ type: z.literal('picture'), image: line(), size: whole(1, mostPicturePixels) }),
]);
export type CleaningPanelToHost = z.infer<typeof cleaningPanelToHostSchema>;
