import * as z from 'zod';
import { text } from './bounded.ts';

export const runControlVersion = 1;

/** What a run may be asked for through its folder. */
export const runControlActions = ['stop', 'pause', 'resume'] as const;
export type RunControlAction = (typeof runControlActions)[number];

/**
 * Content of `control.json` in the folder of a run: what somebody asks of it who may be on another machine. Whoever trains
 * the run looks every second, between two steps, and removes the file when it has taken note.
 */
export const runControlSchema = z.object({
  version: z.literal(runControlVersion),
  action: z.enum(runControlActions),
  /** ISO 8601. */
  time: text(40, 1),
});
export type RunControl = z.infer<typeof runControlSchema>;
