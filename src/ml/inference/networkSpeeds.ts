import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { writeTextAtomically } from '../../runs/atomicFile.ts';
import { readBoundedJson } from '../../runs/boundedFile.ts';
import { cacheFolder } from '../cache/cacheFolder.ts';

/** How fast networks were when they were last measured, on a machine that is told by its fingerprint. */
const speedsSchema = z.object({
  fingerprint: z.string(),
  /** Images a second by the network's name, and what they were measured on. */
  networks: z.record(
    z.string(),
    z.object({
      imagesPerSecond: z.number().positive(),
      /** Of a head on its features; earlier versions did not measure it. */
      headPerSecond: z.number().positive().optional(),
      engine: z.string(),
      device: z.string(),
    }),
  ),
});
export type NetworkSpeeds = z.infer<typeof speedsSchema>['networks'];

const limit = { what: 'what is remembered of networks', bytes: 2 ** 20 };

function memoryFile(): string {
  return join(cacheFolder(), 'networks.json');
}

/** What was remembered of this very machine; nothing where that has changed. */
export async function recallSpeeds(fingerprint: string): Promise<NetworkSpeeds> {
  try {
    const remembered = speedsSchema.parse(await readBoundedJson(memoryFile(), limit));
    return remembered.fingerprint === fingerprint ? remembered.networks : {};
  } catch {
    return {};
  }
}

/** Keeps what was measured, beside what is remembered. In a folder that cannot be written it is measured again. */
export async function rememberSpeeds(fingerprint: string, measured: NetworkSpeeds): Promise<void> {
  const networks = { ...(await recallSpeeds(fingerprint)), ...measured };
  try {
    await mkdir(dirname(memoryFile()), { recursive: true });
    await writeTextAtomically(memoryFile(), JSON.stringify({ fingerprint, networks }, undefined, 1));
  } catch {
    return;
  }
}
