import * as z from 'zod';
import { givenConfigSchema } from '../../protocol/trainingConfig.ts';
import type { TrainingRequest } from '../../runs/startTrainer.ts';

/** A run that waits for its turn. */
export interface QueuedRun {
  readonly id: number;
  readonly request: TrainingRequest;
}

const queueSchema = z.array(
  z.object({
    id: z.number().int(),
    request: z.object({
      config: givenConfigSchema,
      out: z.string(),
      name: z.string().exactOptional(),
      resume: z.string().exactOptional(),
    }),
  }),
);

/** The queue as it was kept; what no longer can be understood is left out. */
export function parseQueue(kept: unknown): readonly QueuedRun[] {
  if (!Array.isArray(kept)) return [];
  return kept.flatMap((entry: unknown) => queueSchema.safeParse([entry]).data ?? []);
}

export function enqueue(queue: readonly QueuedRun[], request: TrainingRequest): readonly QueuedRun[] {
  const id = 1 + Math.max(0, ...queue.map((entry) => entry.id));
  return [...queue, { id, request }];
}
