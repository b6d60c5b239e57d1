import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

const dayMs = 24 * 60 * 60 * 1000;

/** Where large downloads of the tests lie, outside the repository: `FIVECROP_CACHE`, or the platform's cache folder. */
export function cacheFolder(): string {
  const { FIVECROP_CACHE: own, LOCALAPPDATA: windows, XDG_CACHE_HOME: cache } = process.env;
  // Set to nothing counts as not set.
  if (own) return join(own, 'vscode-test');
  const home = cache === undefined || cache === '' ? join(homedir(), '.cache') : cache;
  const platformCache = process.platform === 'win32' ? (windows ?? join(homedir(), 'AppData', 'Local')) : home;
  return join(platformCache, 'fivecrop', 'vscode-test');
}

/**
 * The cached folder of that name. When it is not there yet, `fill` gets an empty folder beside it, which takes the
 * name only once it is complete: an interrupted installation leaves nothing that a later run would trust, and of two
 * at the same time the first to finish wins.
 */
export async function installOnce(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const target = join(cacheFolder(), name);
  if (existsSync(target)) return target;
  await mkdir(cacheFolder(), { recursive: true });
  await removeLeftovers();
  const started = Date.now();
  console.log(`Installing ${name} into ${cacheFolder()} (once)...`);
  const partial = await mkdtemp(`${target}.partial-`);
  try {
    await fill(partial);
    await rename(partial, target).catch((error: unknown) => {
      if (!existsSync(target)) throw error;
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  console.log(`Installed ${name} in ${((Date.now() - started) / 1000).toFixed(1)} s.`);
  return target;
}

/** What a killed installation left behind; a day is longer than any that still runs. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(cacheFolder())) {
    if (!name.includes('.partial-')) continue;
    const path = join(cacheFolder(), name);
    const age = await stat(path).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > dayMs) await rm(path, { recursive: true, force: true });
  }
}
