import * as z from 'zod';
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
  checkpoints: 'checkpoints',
  best: 'best.safetensors',
  last: 'last.safetensors',
} as const;

/** A process, told from every other one, also from later ones of the same number. Fields that are optional came later. */
export const processSchema = z.object({
  /** 1 and less are no process that anybody may signal; Windows counts to 2³². */
  pid: z.number().int().min(2).max(0xffff_ffff),
  socket: z.string().max(1000).optional(),
  started: z.string().max(40),
  host: z.string().max(255).optional(),
  /** Within what the number means something. On Linux the boot of the machine and the namespace of its processes. */
  scope: z.string().max(100).optional(),
  /** When it began, in words of its system: on Linux ticks since the boot. */
  birth: z.string().max(100).optional(),
});

/** Content of `run.json`: the truth about a run, rewritten whole at every change of state. */
export const runRecordSchema = z.object({
  version: z.literal(runRecordVersion),
  /** Name of the run, which is its folder's name. */
  name: z.string(),
  created: z.string(),
  updated: z.string(),
  state: z.enum(runStates),
  /** Why it ended, where it has. */
  reason: z.string().optional(),
  config: trainingConfigSchema,
  environment: z.object({
    fivecrop: z.string(),
    node: z.string(),
    platform: z.string(),
    engine: z.string().optional(),
    engineVersion: z.string().optional(),
    device: z.string().optional(),
    /** What was asked for and could not be had, with the reason. */
    fallbacks: z.array(z.string()),
  }),
  /** The process that trains; a run in a live state whose process is gone has been broken off. */
  process: processSchema.optional(),
  /** Of identical files the first ones only. */
  data: dataReportSchema.optional(),
  progress: z
    .object({
      step: z.number().int(),
      totalSteps: z.number().int(),
      epoch: z.number(),
      stepsPerEpoch: z.number().int(),
    })
    .optional(),
  best: z.object({ step: z.number().int(), validLoss: z.number(), validAccuracy: z.number() }).optional(),
  resumedFrom: z.string().optional(),
});
export type RunRecord = z.infer<typeof runRecordSchema>;
