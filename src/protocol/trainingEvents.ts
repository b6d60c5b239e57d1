import * as z from 'zod';
import { between, count, epoch, loss, list, mostClasses, name, path, sentence, whole } from './bounded.ts';
import { imagePredictionSchema } from './prediction.ts';

/** Every event says when it happened, as an ISO 8601 time. */
const base = { time: name() };

export const runStates = ['preparing', 'running', 'paused', 'stopping', 'finished', 'stopped', 'failed'] as const;
export type RunState = (typeof runStates)[number];

const throughput = {
  imagesPerSecond: between(0, Number.MAX_SAFE_INTEGER),
  /** Absent until the speed is known. */
  secondsLeft: between(0, Number.MAX_SAFE_INTEGER).optional(),
  /** Resident memory of the trainer process. */
  memoryBytes: count(),
  device: name(),
};

/**
 * What happens in a run, in order: the lines of `metrics.jsonl`, the lines of `fivecrop train --json`, and what the
 * trainer sends over its socket are all these objects.
 */
export const trainingEventSchema = z.discriminatedUnion('event', [
  z.object({
    event: z.literal('start'),
    ...base,
    run: name(),
    engine: name(),
    device: name(),
    network: path(),
    classes: whole(0, mostClasses),
    trainImages: count(),
    validImages: count(),
    stepsPerEpoch: count(),
    totalSteps: count(),
    /** Step from which a resumed run goes on; 0 for a new one. */
    step: count(),
    resumedFrom: path().optional(),
  }),
  z.object({
    event: z.literal('step'),
    ...base,
    step: count(),
    /** Epochs done, with the fraction of the present one: 1.25 is a quarter into the second. */
    epoch: epoch(),
    loss: loss(),
    learningRate: between(0, 1000),
    /** Joint L2 norm of the gradients, before it is limited; absent if it is not finite, and in records of earlier versions. */
    gradientNorm: between(0, Number.MAX_VALUE).optional(),
    /** In a thinned history alone: how many steps there were since the one before, this one included, and their mean loss. */
    mean: z.object({ steps: whole(1, Number.MAX_SAFE_INTEGER), loss: loss() }).optional(),
    ...throughput,
  }),
  z.object({
    event: z.literal('validation'),
    ...base,
    step: count(),
    epoch: epoch(),
    /** Mean over the images of the steps since the last validation. */
    trainLoss: loss(),
    validLoss: loss(),
    validAccuracy: between(0, 1),
    validTop5: between(0, 1),
    ...throughput,
  }),
  z.object({
    event: z.literal('checkpoint'),
    ...base,
    step: count(),
    epoch: epoch(),
    kind: z.enum(['best', 'last', 'epoch']),
    path: path(),
    validAccuracy: between(0, 1).optional(),
  }),
  z.object({
    event: z.literal('pinned'),
    ...base,
    step: count(),
    predictions: list(imagePredictionSchema.extend({ actual: whole(0, mostClasses - 1) }), 16),
  }),
  z.object({ event: z.literal('log'), ...base, level: z.enum(['info', 'warning', 'error']), message: sentence() }),
  z.object({ event: z.literal('state'), ...base, state: z.enum(runStates) }),
  z.object({
    event: z.literal('done'),
    ...base,
    state: z.enum(['finished', 'stopped', 'failed']),
    step: count(),
    /** Why it ended, in a sentence. */
    reason: sentence(),
    bestAccuracy: between(0, 1).optional(),
    best: path().optional(),
    last: path().optional(),
  }),
]);
export type TrainingEvent = z.infer<typeof trainingEventSchema>;
export type TrainingEventOf<Name extends TrainingEvent['event']> = Extract<TrainingEvent, { event: Name }>;
