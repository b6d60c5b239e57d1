import * as z from 'zod';
import { line, list, mostImages, name, text } from './bounded.ts';
import { editingPanelToHost, editingPanelToPage } from './editingPanel.ts';
import { featureSourcesSchema } from './featurePanel.ts';
import { labellingSchema } from './labelling.ts';

/** Messages between the page that labels images and its host, which replays after `ready`. Images have absolute paths. */

export const labellingPanelToPageSchema = z.discriminatedUnion('type', [
  ...editingPanelToPage(labellingSchema),
  featureSourcesSchema.extend({ unlabelled: line() }),
]);
export type LabellingPanelToPage = z.infer<typeof labellingPanelToPageSchema>;

export const labellingPanelToHostSchema = z.discriminatedUnion('type', [
  ...editingPanelToHost,
  /** Copies images into the folder without labels: URIs that were dropped, or the content of one, as base64. */
  z.object({ type: z.literal('dropped'), uris: list(line(), mostImages) }),
  z.object({ type: z.literal('given'), name: name(1), content: text(100_000_000) }),
  z.object({ type: z.literal('chooseImages') }),
]);
export type LabellingPanelToHost = z.infer<typeof labellingPanelToHostSchema>;
