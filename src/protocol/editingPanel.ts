import * as z from 'zod';
import { line } from './bounded.ts';
import { dataEditSchema } from './dataEdits.ts';
import { type ArrivedPicture, type FeatureProgress, featurePanelToHost, featurePanelToPage } from './featurePanel.ts';

/** Messages that the pages share which edit a data folder: *Clean Data* and *Label Images*. */

/** Whether it answers an `edit`, an `undo` or a `redo` of the page. */
const isAnswer = () => z.boolean();

/** What was asked for last failed; no figures follow. */
const editingErrorSchema = z.object({ type: z.literal('error'), message: line(), isAnswer: isAnswer() });

/** What every such page hears, but for the features on offer; `figures` says what of the data. */
export function editingPanelToPage<Figures extends z.ZodType>(figures: Figures) {
  return [
    /** Without figures where they come with those of what was asked for after it. */
    z.object({ type: z.literal('figures'), figures: figures.optional(), isAnswer: isAnswer() }),
    editingErrorSchema,
    ...featurePanelToPage,
  ] as const;
}
export type EditingPanelToPage<Figures> =
  | { type: 'figures'; figures?: Figures | undefined; isAnswer: boolean }
  | z.infer<typeof editingErrorSchema>
  | FeatureProgress
  | ArrivedPicture;

/** The last three are each answered by figures or an error. */
export const editingPanelToHost = [
  ...featurePanelToHost,
  z.object({ type: z.literal('edit'), edit: dataEditSchema }),
  z.object({ type: z.literal('undo') }),
  z.object({ type: z.literal('redo') }),
] as const;
/** What is done in the same way for every such page. */
export type EditingPanelToHost = Exclude<z.infer<(typeof editingPanelToHost)[number]>, { type: 'ready' }>;
