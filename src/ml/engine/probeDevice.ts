import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
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
export function probeDevice(engine: EngineName, device: string, minutes = patience): Promise<Probe> {
  const file = import.meta.url.endsWith('.ts') ? './probeProcess.ts' : './probeDevice.mjs';
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), [engine, device], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    serialization: 'advanced',
  });
  return new Promise((resolve) => {
    const finish = (probe: Probe) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      resolve(probe);
    };
    const timer = setTimeout(() => {
      finish({ error: `the device did not answer within ${minutes === 1 ? 'a minute' : `${minutes} minutes`}` });
    }, minutes * 60_000);
    child.once('message', (message) => {
      const probe = probeSchema.safeParse(message);
      finish(probe.success ? probe.data : { error: 'the probe gave no sensible answer' });
    });
    child.once('error', (error) => {
      finish({ error: error.message });
    });
    child.once('exit', (code, signal) => {
      const ended = () => finish({ error: `the driver ended the process (${signal ?? `exit code ${String(code)}`})` });
      // An answer that was sent may still be on its way; the channel closes behind it.
      if (child.connected) child.once('disconnect', ended);
      else ended();
    });
  });
}
