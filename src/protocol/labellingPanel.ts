import * as z from 'zod';
import { line, list, mostImages, mostListed, mostPicturePixels, name, picture, text, whole } from './bounded.ts';
import { dataEditSchema } from './dataEdits.ts';
import { labellingSchema } from './labelling.ts';

/** Messages between the page that labels images and its host, which replays after `ready`. */

/** Whether it answers an `edit`, an `undo` or a `redo` of the page. */
const isAnswer = () => z.boolean();

export const labellingPanelToPageSchema = z.discriminatedUnion('type', [
  /** Without figures where they come with those of what was asked for after it. */
  z.object({ type: z.literal('labelling'), labelling: labellingSchema.optional(), isAnswer: isAnswer() }),
  /** Whose features the head is fitted on, of those on offer; empty for none yet. */
  z.object({
    type: z.literal('sources'),
    data: line(),
    unlabelled: line(),
    sources: list(z.object({ id: line(), label: line(), description: line() }), mostListed),
    source: line(),
    /** Whether those features were trained on the data, so that they know its labels. */
    isTrainedOnData: z.boolean(),
  }),
  z.object({ type: z.literal('progress'), busy: z.boolean(), what: line(), done: z.number(), total: z.number() }),
  /** What was asked for last failed; no `labelling` follows. */
  z.object({ type: z.literal('error'), message: line(), isAnswer: isAnswer() }),
  z.object({ type: z.literal('picture'), image: line(), size: whole(1, mostPicturePixels), picture: picture() }),
]);
export type LabellingPanelToPage = z.infer<typeof labellingPanelToPageSchema>;

export const labellingPanelToHostSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  /** These three are each answered by one `labelling` or `error`. */
  z.object({ type: z.literal('edit'), edit: dataEditSchema }),
  z.object({ type: z.literal('undo') }),
  z.object({ type: z.literal('redo') }),
  /** The figures that follow from these come when the host has them, if the user does not change their mind. */
  z.object({ type: z.literal('look') }),
  /** Copies images into the folder without labels: URIs that were dropped, or the content of one, as base64. */
  z.object({ type: z.literal('dropped'), uris: list(line(), mostImages) }),
  z.object({ type: z.literal('given'), name: name(1), content: text(100_000_000) }),
  z.object({ type: z.literal('chooseImages') }),
  z.object({ type: z.literal('source'), id: line() }),
  z.object({ type: z.literal('chooseSource') }),
  z.object({ type: z.literal('cancel') }),
  /** Images by absolute path, of those that were listed. */
  z.object({ type: z.literal('open'), image: line() }),
  z.object({ type: z.literal('picture'), image: line(), size: whole(1, mostPicturePixels) }),
]);
export type LabellingPanelToHost = z.infer<typeof labellingPanelToHostSchema>;
