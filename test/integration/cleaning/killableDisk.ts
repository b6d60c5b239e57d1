import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/** What the editor changes a disk by; a lock is none of it, since it outlives no process. */
const names = ['rename', 'mkdir', 'rmdir', 'rm', 'truncate', 'open', 'link', 'writeFile'] as const;

export interface KillableDisk {
  /** Has the operation after so many, and all later ones, fail as if the process had been killed before it. */
  readonly killAfter: (operations: number) => void;
  /** A new process begins: everything works again. Says whether the old one had been killed. */
  readonly restart: () => boolean;
  /** Gives the disk back as it was. */
  readonly release: () => void;
}

/** Takes over what changes files below a folder, in this process alone. */
export function killableDisk(folder: string): KillableDisk {
  let left = Infinity;
  const originals = names.map((name) => [name, fs.promises[name]] as const);
  const isCounted = (name: string, [path, flags]: readonly unknown[]) =>
    typeof path === 'string' && path.startsWith(folder) && !path.includes('.lock') && (name !== 'open' || flags === 'a' || flags === 'wx'); // prettier-ignore
  for (const [name, original] of originals) {
    Object.assign(fs.promises, {
      [name]: (...args: unknown[]) => {
        if (isCounted(name, args) && left-- <= 0) return Promise.reject(new Error('killed'));
        return Reflect.apply(original, fs.promises, args) as unknown;
      },
    });
  }
  syncBuiltinESMExports();
  return {
    killAfter: (operations) => (left = operations),
    restart: () => {
      const killed = left < 0;
      left = Infinity;
      return killed;
    },
    release: () => {
      for (const [name, original] of originals) Object.assign(fs.promises, { [name]: original });
      syncBuiltinESMExports();
    },
  };
}
