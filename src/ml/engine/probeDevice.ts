import * as z from 'zod';
import { askProcess } from './askProcess.ts';
import type { EngineName } from './engine.ts';

/** What a probe found: how the device did, or why it cannot be used. */
const probeSchema = z.union([
  /** See `SelfCheck`; a difference is null where the device gave no numbers. */
  z.object({
    difference: z.number().nullable(),
    lossDifference: z.number().nullable(),
    secondsPerStep: z.number(),
  }),
  z.object({ error: z.string() }),
]);
export type Probe = z.infer<typeof probeSchema>;

/** Minutes in which a device has to answer that is only looked for: what takes longer is slower than any CPU. */
export const shortPatience = 1;
/** Minutes for one that is asked for, or listed: a graphics card in software takes some. */
const patience = 10;

/**
 * Runs the self-check of one device in a process of its own, so that a broken driver cannot take a run down with it.
 * Never throws.
 */
export async function probeDevice(engine: EngineName, device: string, minutes = patience): Promise<Probe> {
  const script = import.meta.url.endsWith('.ts') ? '../../../dist/ml/probeDevice.mjs' : './probeDevice.mjs';
  const reply = await askProcess(new URL(script, import.meta.url), [engine, device], minutes * 60);
  switch (reply.kind) {
    case 'answer':
      return probeSchema.safeParse(reply.message).data ?? { error: 'the probe gave no sensible answer' };
    case 'late':
      return { error: `the device did not answer within ${minutes === 1 ? 'a minute' : `${minutes} minutes`}` };
    case 'not started':
      return { error: reply.reason };
    case 'ended':
      return { error: `the driver ended the process (${reply.signal ?? `exit code ${String(reply.code)}`})` };
  }
}
