import * as z from 'zod';
import { count, line } from './bounded.ts';
import { trainingEventSchema } from './trainingEvents.ts';

/**
 * Messages between the trainer process and whoever watches it, as JSON lines over the local socket that the run's
 * record names: `ml/trainer/lineSocket.ts` serves them, `extension/trainer/trainerSocket.ts` is a client. History is read
 * from the run's folder; the socket carries what happens from now on.
 */
export const trainerRequestSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('pause') }),
  z.object({ type: z.literal('resume') }),
  /** Finishes the step, saves, ends. */
  z.object({ type: z.literal('stop') }),
]);
export type TrainerRequest = z.infer<typeof trainerRequestSchema>;

export const trainerMessageSchema = z.discriminatedUnion('type', [
  /** First on every connection: how many events lie in `metrics.jsonl` already; those that follow come after them. */
  z.object({ type: z.literal('hello'), version: z.literal(1), run: line(), events: count() }),
  z.object({ type: z.literal('event'), event: trainingEventSchema }),
]);
export type TrainerMessage = z.infer<typeof trainerMessageSchema>;
