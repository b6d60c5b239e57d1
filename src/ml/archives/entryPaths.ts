/** Names that Windows keeps for devices, with any ending: `NUL`, `com1.jpg`. */
const deviceName = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?:\..*)?$/iu;
/** Whether Windows takes a name for that of a device. */
export function isDeviceName(name: string): boolean {
  return deviceName.test(name);
}

/** What no name on Windows may have in it. */
const notOnWindows = /[<>:"|?*\p{Cc}]/u;

const longestName = 255;
const deepest = 64;

/**
 * The parts of an entry's path, without `.` and empty ones; none for the archive's own folder. Backslashes separate too, as
 * old programs on Windows write them. Throws an `Error` whose message completes “it holds …” where the path leads out of
 * the folder, or names what some system takes for a device or cannot hold.
 */
export function entryParts(name: string, platform: NodeJS.Platform = process.platform): string[] {
  if (name.includes('\0')) throw new Error(`${name}, a name with a NUL character in it`);
  const path = name.replaceAll('\\', '/');
  if (path.startsWith('/')) throw new Error(`${name}, an absolute path`);
  if (/^[a-z]:/iu.test(path)) throw new Error(`${name}, a path with the letter of a drive`);
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.length > deepest) throw new Error(`${name.slice(0, longestName)}…, a path of more than ${deepest} folders`);
  for (const part of parts) {
    if (part === '..') throw new Error(`${name}, a path that leads out of the folder`);
    if (isDeviceName(part)) throw new Error(`${name}, where ${part} is the name of a device on Windows`);
    if (Buffer.byteLength(part) > longestName) {
      throw new Error(`${part.slice(0, 40)}…, a name of more than ${longestName} bytes`);
    }
    if (/[ .]$/u.test(part) && platform === 'win32') throw new Error(`${name}, which Windows cannot name`);
    if (notOnWindows.test(part) && platform === 'win32') throw new Error(`${name}, which Windows cannot name`);
  }
  return parts;
}

/** Remembers the paths of an archive, so that no two of them are one on a disk that does not tell case or forms of accents apart. */
export interface EntryPaths {
  /**
   * Takes a path. A folder may come again, a file may not. Throws an `Error` whose message completes “it holds …” where a
   * file or folder of that name, as some disks see it, was there before.
   */
  readonly add: (parts: readonly string[], kind: 'file' | 'folder') => void;
}

export function createEntryPaths(): EntryPaths {
  const known = new Map<string, { readonly path: string; readonly kind: 'file' | 'folder' }>();
  const take = (path: string, kind: 'file' | 'folder') => {
    const key = path.normalize('NFC').toLowerCase();
    const before = known.get(key);
    if (!before) known.set(key, { path, kind });
    else if (before.path !== path)
      throw new Error(`${before.path} and ${path}, whose names differ only in case or spelling`);
    else if (before.kind !== kind) throw new Error(`${path} both as a file and as a folder`);
    else if (kind === 'file') throw new Error(`${path} twice`);
  };
  return {
    add: (parts, kind) => {
      for (let depth = 1; depth < parts.length; depth++) take(parts.slice(0, depth).join('/'), 'folder');
      if (parts.length > 0) take(parts.join('/'), kind);
    },
  };
}
