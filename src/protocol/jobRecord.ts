import * as z from 'zod';
import { count, text } from './bounded.ts';

export const jobRecordVersion = 1;

/** Who was asked to run a job on another machine. */
export const schedulers = ['slurm', 'ssh'] as const;

/**
 * Content of `job.json` in the folder of a run: which job trains it. Whether it trains, has ended or was lost is said by the
 * rest of the folder; the scheduler is only asked about a job that waits or was lost.
 */
export const jobRecordSchema = z.object({
  version: z.literal(jobRecordVersion),
  scheduler: z.enum(schedulers),
  /** The scheduler's name for it; `12_3` is task 3 of the array 12 of Slurm. */
  job: text(200, 1),
  /** The machine that it was given to, where that is known before it runs. */
  host: text(255, 1).optional(),
  /** ISO 8601. */
  submitted: text(40, 1),
  /** How often it was put back into the queue, by itself at its time limit or by the scheduler. */
  requeues: count().optional(),
});
export type JobRecord = z.infer<typeof jobRecordSchema>;
