import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { cpus, release } from 'node:os';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { cacheFolder } from '../cache/cacheFolder.ts';

/** What a machine's devices could do when they were last tried. */
const rememberedSchema = z.object({
  devices: z.array(
    z.object({ engine: z.enum(['onnx', 'tensorflow']), device: z.string(), secondsPerStep: z.number() }),
  ),
  /** Devices that were tried and cannot be used, with the reason. */
  refused: z.array(
    z.object({
      engine: z.enum(['onnx', 'tensorflow']),
      device: z.string(),
      reason: z.string(),
      /** There is no such device, as opposed to one that fails. */
      absent: z.boolean(),
    }),
  ),
  /** Seconds of a step on the CPU by engine, of those that were timed because a graphics card had to be compared. */
  cpu: z.partialRecord(z.enum(['onnx', 'tensorflow']), z.number()).default({}),
});
export type RememberedDevices = z.infer<typeof rememberedSchema>;

/** Of which machine it is. */
const fingerprintSchema = z.object({ fingerprint: z.string() });

function entries(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

/** Changes with the hardware, the operating system and the versions of what computes. */
export function machineFingerprint(versions: readonly string[]): string {
  const nodes = [...entries('/dev/dri'), ...entries('/dev').filter((name) => name.startsWith('nvidia'))];
  const drivers = [
    process.env['VK_ICD_FILENAMES'] ?? '',
    ...entries('/usr/share/vulkan/icd.d'),
    ...entries('/etc/vulkan/icd.d'),
  ];
  const parts = [
    process.platform,
    process.arch,
    release(),
    cpus()[0]?.model ?? '',
    cpus().length,
    nodes,
    drivers,
    process.version,
    versions,
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** What was remembered of this very machine, if anything was. */
export function recallDevices(fingerprint: string): Promise<RememberedDevices | undefined> {
  return recall('devices.json', fingerprint, rememberedSchema);
}

/** Keeps what was found for the next run. A folder that cannot be written costs the next run the same seconds again. */
export function rememberDevices(fingerprint: string, devices: RememberedDevices): Promise<void> {
  return remember('devices.json', fingerprint, devices);
}

/** Why ONNX Runtime's library cannot be called without its binding; without a reason it can. */
const checkedLibrarySchema = z.object({ reason: z.string().optional() });
export type CheckedLibrary = z.infer<typeof checkedLibrarySchema>;

/** What the check of the library found on this very machine, if it was made. */
export function recallLibrary(fingerprint: string): Promise<CheckedLibrary | undefined> {
  return recall('runtimeLibrary.json', fingerprint, checkedLibrarySchema);
}

/** As `rememberDevices`. */
export function rememberLibrary(fingerprint: string, checked: CheckedLibrary): Promise<void> {
  return remember('runtimeLibrary.json', fingerprint, checked);
}

async function recall<Found>(name: string, fingerprint: string, schema: z.ZodType<Found>): Promise<Found | undefined> {
  try {
    const content: unknown = JSON.parse(await readFile(join(cacheFolder(), name), 'utf8'));
    return fingerprintSchema.parse(content).fingerprint === fingerprint ? schema.parse(content) : undefined;
  } catch {
    return undefined;
  }
}

async function remember(name: string, fingerprint: string, found: object): Promise<void> {
  const file = join(cacheFolder(), name);
  const temporary = `${file}.${String(process.pid)}`;
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(temporary, JSON.stringify({ fingerprint, ...found }, null, 2));
    await rename(temporary, file);
  } catch {
    return;
  }
}
