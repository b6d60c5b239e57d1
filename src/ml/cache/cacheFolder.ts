import { homedir } from 'node:os';
import { join } from 'node:path';

/** The user's folder for what can be had again, as the platform has it: `%LOCALAPPDATA%`, `~/Library/Caches`, `~/.cache`. */
export function platformCacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const set = (name: string) => (environment[name] === '' ? undefined : environment[name]);
  if (process.platform === 'win32') return set('LOCALAPPDATA') ?? join(homedir(), 'AppData', 'Local');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches');
  return set('XDG_CACHE_HOME') ?? join(homedir(), '.cache');
}

/** Our folder in it, unless `FIVECROP_CACHE` names another. */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const own = environment['FIVECROP_CACHE'];
  // Set to nothing counts as not set.
  return own === undefined || own === '' ? join(platformCacheFolder(environment), 'fivecrop') : own;
}
