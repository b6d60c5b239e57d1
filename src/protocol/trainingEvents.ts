import * as z from 'zod';
import { imagePredictionSchema } from './prediction.ts';

/** Every event says when it happened, as an ISO 8601 time. */
const base = { time: z.string() };

export const runStates = ['preparing', 'running', 'paused', 'stopping', 'finished', 'stopped', 'failed'] as const;
export type RunState = (typeof runStates)[number];

const throughput = {
  imagesPerSecond: z.number(),
  /** Absent until the speed is known. */
  secondsLeft: z.number().optional(),
  /** Resident memory of the trainer process. */
  memoryBytes: z.number(),
  device: z.string(),
};

/**
 * What happens in a run, in order: the lines of `metrics.jsonl`, the lines of `fivecrop train --json`, and what the
 * trainer sends over its socket are all these objects.
 */
export const trainingEventSchema = z.discriminatedUnion('event', [
  z.object({
    event: z.literal('start'),
    ...base,
    run: z.string(),
    engine: z.string(),
    device: z.string(),
    network: z.string(),
    classes: z.number().int(),
    trainImages: z.number().int(),
    validImages: z.number().int(),
    stepsPerEpoch: z.number().int(),
    totalSteps: z.number().int(),
    /** Step from which a resumed run goes on; 0 for a new one. */
    step: z.number().int(),
    resumedFrom: z.string().optional(),
  }),
  z.object({
    event: z.literal('step'),
    ...base,
    step: z.number().int(),
    /** Epochs done, with the fraction of the present one: 1.25 is a quarter into the second. */
    epoch: z.number(),
    loss: z.number(),
    learningRate: z.number(),
    /** In a thinned history alone: how many steps there were since the one before, this one included, and their mean loss. */
    mean: z.object({ steps: z.number().int().positive(), loss: z.number() }).optional(),
    ...throughput,
  }),
  z.object({
    event: z.literal('validation'),
    ...base,
    step: z.number().int(),
    epoch: z.number(),
    /** Mean over the images of the steps since the last validation. */
    trainLoss: z.number(),
    validLoss: z.number(),
    validAccuracy: z.number(),
    validTop5: z.number(),
    ...throughput,
  }),
  z.object({
    event: z.literal('checkpoint'),
    ...base,
    step: z.number().int(),
    epoch: z.number(),
    kind: z.enum(['best', 'last', 'epoch']),
    path: z.string(),
    validAccuracy: z.number().optional(),
  }),
  z.object({
    event: z.literal('pinned'),
    ...base,
    step: z.number().int(),
    predictions: z.array(imagePredictionSchema.extend({ actual: z.number().int() })),
  }),
  z.object({ event: z.literal('log'), ...base, level: z.enum(['info', 'warning', 'error']), message: z.string() }),
  z.object({ event: z.literal('state'), ...base, state: z.enum(runStates) }),
  z.object({
    event: z.literal('done'),
    ...base,
    state: z.enum(['finished', 'stopped', 'failed']),
    step: z.number().int(),
    /** Why it ended, in a sentence. */
    reason: z.string(),
    bestAccuracy: z.number().optional(),
    best: z.string().optional(),
    last: z.string().optional(),
  }),
]);
export type TrainingEvent = z.infer<typeof trainingEventSchema>;
export type TrainingEventOf<Name extends TrainingEvent['event']> = Extract<TrainingEvent, { event: Name }>;
