import * as z from 'zod';
import { wholeMap } from './viewport.ts';

export const tools = ['lasso', 'rectangle', 'move'] as const;
/** What dragging does. */
export type Tool = (typeof tools)[number];

/** What the page keeps when it is hidden or the window reloads. */
export const featureMapPageStateSchema = z.object({
  /** `class`, `head`, or the title of a test. */
  colorBy: z.string().default('class'),
  tool: z.enum(tools).default('lasso'),
  /** Keys of the groups that are set apart; none for all. */
  apart: z.array(z.string()).default([]),
  /** Paths of the selected images. */
  selected: z.array(z.string()).default([]),
  selectedAs: z.enum(['gallery', 'table']).default('gallery'),
  view: z.object({ x: z.number(), y: z.number(), scale: z.number() }).default(wholeMap),
  /** Pixels by which the page was scrolled. */
  scroll: z.number().default(0),
});
export type FeatureMapPageState = z.infer<typeof featureMapPageStateSchema>;
