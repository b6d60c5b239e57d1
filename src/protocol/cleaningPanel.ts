import * as z from 'zod';
import { line } from './bounded.ts';
import { cleaningSchema } from './cleaning.ts';
import { editingPanelToHost, editingPanelToPage } from './editingPanel.ts';
import { featureSourcesSchema } from './featurePanel.ts';

/**
 * Messages between the page that cleans a data folder and its host, which replays after `ready`. Paths of images are
 * relative to the folder.
 */

export const cleaningPanelToPageSchema = z.discriminatedUnion('type', [
  ...editingPanelToPage(cleaningSchema),
  featureSourcesSchema,
  /** Images were chosen on a map, which are the kind to show; `time` tells the choices apart, one of which may be told twice. */
  z.object({ type: z.literal('chosen'), time: z.number() }),
]);
export type CleaningPanelToPage = z.infer<typeof cleaningPanelToPageSchema>;

export const cleaningPanelToHostSchema = z.discriminatedUnion('type', [
  ...editingPanelToHost,
  /** Asks the user for another class of an image. */
  z.object({ type: z.literal('otherClass'), image: line() }),
  z.object({ type: z.literal('renameClass') }),
  z.object({ type: z.literal('mergeClass') }),
]);
export type CleaningPanelToHost = z.infer<typeof cleaningPanelToHostSchema>;
