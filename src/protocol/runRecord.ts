import * as z from 'zod';
import { between, count, epoch, list, loss, name, path, sentence, text, whole } from './bounded.ts';
import { dataReportSchema } from './dataReport.ts';
import { runStates } from './trainingEvents.ts';
import { trainingConfigSchema } from './trainingConfig.ts';

export const runRecordVersion = 1;

/** Names of the files inside a run's folder. */
export const runFiles = {
  record: 'run.json',
  metrics: 'metrics.jsonl',
  profile: 'profile.json',
  lock: 'run.lock',
  split: 'split.json',
  /** See `jobRecord.ts` and `runControl.ts`. */
  job: 'job.json',
  control: 'control.json',
  checkpoints: 'checkpoints',
  best: 'best.safetensors',
  last: 'last.safetensors',
} as const;

/** A process, told from every other one, also from later ones of the same number. Fields that are optional came later. */
export const processSchema = z.object({
  /** 1 and less are no process that anybody may signal; Windows counts to 2³². */
  pid: whole(2, 0xffff_ffff),
  socket: text(1000).optional(),
  started: text(40),
  host: text(255).optional(),
  /** Within what the number means something. On Linux the boot of the machine and the namespace of its processes. */
  scope: text(100).optional(),
  /** When it began, in words of its system: on Linux ticks since the boot. */
  birth: text(100).optional(),
});

const cardSchema = z.object({
  name: text(256, 1),
  driver: text(256).optional(),
  /** What the engine computes on it with, where that is not part of the engine's package. */
  provider: text(256).optional(),
});
export type Card = z.infer<typeof cardSchema>;

/** `NVIDIA H200, driver 580.95.05`. */
export function cardText({ name, driver }: Card): string {
  return driver === undefined ? name : `${name}, driver ${driver}`;
}

/** Content of `run.json`: the truth about a run, rewritten whole at every change of state. */
export const runRecordSchema = z.object({
  version: z.literal(runRecordVersion),
  /** Name of the run, which is its folder's name. */
  name: name(1),
  created: name(),
  updated: name(),
  state: z.enum(runStates),
  /** Why it ended, where it has. */
  reason: sentence().optional(),
  /** What could not be had, where that is why it failed. */
  missing: z.literal('weights').optional(),
  /** Where that is known: settings that fail again, or a disk that took nothing more. */
  failedBy: z.enum(['settings', 'disk']).optional(),
  config: trainingConfigSchema,
  environment: z.object({
    fivecrop: name(),
    node: name(),
    platform: name(),
    /** Processor, threads and memory of the machine; absent in records of earlier versions. */
    machine: name().optional(),
    engine: name().optional(),
    engineVersion: name().optional(),
    device: name().optional(),
    /** The graphics card that the device is, where that is certain; absent in records of earlier versions. */
    card: cardSchema.optional(),
    /** What was asked for and could not be had, with the reason. */
    fallbacks: list(sentence(), 100),
  }),
  /** The process that trains; a run in a live state whose process is gone has been broken off. */
  process: processSchema.optional(),
  /** Of copies, of files that do not decode and of classes the first ones only; `classCount` is of all classes. */
  data: dataReportSchema.extend({ classCount: count().optional() }).optional(),
  progress: z
    .object({
      step: count(),
      totalSteps: count(),
      epoch: epoch(),
      stepsPerEpoch: count(),
    })
    .optional(),
  best: z.object({ step: count(), validLoss: loss(), validAccuracy: between(0, 1) }).optional(),
  resumedFrom: path().optional(),
  /** Whoever trains it looks for `control.json` in its folder; earlier versions did not. */
  heedsControl: z.boolean().optional(),
  /** Licence of the weights that it began with, where it is known. */
  licence: text(200, 1).optional(),
});
export type RunRecord = z.infer<typeof runRecordSchema>;
