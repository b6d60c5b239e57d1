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

/**
 * A file of what was found, the newest first: the editor and the shell may run Node in two versions, of which each has a
 * fingerprint, and so may machines that share a home folder.
 */
const memorySchema = z.object({ found: z.array(z.looseObject({ fingerprint: z.string() })) });
type Memory = z.infer<typeof memorySchema>['found'];

/** Fingerprints that are remembered. */
const mostRemembered = 8;

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
const checkedLibrarySchema = z.object({
  reason: z.string().optional(),
  /** Until when the reason counts, in milliseconds since 1970; without it for good. */
  until: z.number().optional(),
});
export type CheckedLibrary = z.infer<typeof checkedLibrarySchema>;

/** How long the trouble of a machine that is busy or short of memory keeps the library from being checked again. */
const passingMilliseconds = 3_600_000;

/** What the check of the library found on this very machine, if it was made and still counts. */
export async function recallLibrary(fingerprint: string, now = Date.now()): Promise<CheckedLibrary | undefined> {
  const checked = await recall('runtimeLibrary.json', fingerprint, checkedLibrarySchema);
  if (checked?.until === undefined) return checked;
  // A clock that was set back would make it last.
  const left = checked.until - now;
  return left > 0 && left <= passingMilliseconds ? checked : undefined;
}

/** As `rememberDevices`; a `passing` reason counts for an hour. */
export function rememberLibrary(
  fingerprint: string,
  { reason, passing = false }: { readonly reason?: string; readonly passing?: boolean },
  now = Date.now(),
): Promise<void> {
  const checked: CheckedLibrary = {
    ...(reason === undefined ? {} : { reason }),
    ...(passing ? { until: now + passingMilliseconds } : {}),
  };
  return remember('runtimeLibrary.json', fingerprint, checked);
}

async function recall<Found>(name: string, fingerprint: string, schema: z.ZodType<Found>): Promise<Found | undefined> {
  const found = (await readMemory(name)).find((entry) => entry.fingerprint === fingerprint);
  return schema.safeParse(found).data;
}

async function readMemory(name: string): Promise<Memory> {
  try {
    return memorySchema.parse(JSON.parse(await readFile(join(cacheFolder(), name), 'utf8'))).found;
  } catch {
    return [];
  }
}

async function remember(name: string, fingerprint: string, found: object): Promise<void> {
  const file = join(cacheFolder(), name);
  const temporary = `${file}.${String(process.pid)}`;
  const others = (await readMemory(name)).filter((entry) => entry.fingerprint !== fingerprint);
  const all: Memory = [{ ...found, fingerprint }, ...others].slice(0, mostRemembered);
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(temporary, JSON.stringify({ found: all }, null, 2));
    await rename(temporary, file);
  } catch {
    return;
  }
}
