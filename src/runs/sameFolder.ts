import { realpathSync } from 'node:fs';

/** Whether two paths lead to one folder, through links or in another case where the disk does not tell them apart. */
export function sameFolder(a: string, b: string): boolean {
  return a === b || whereItLies(a) === whereItLies(b);
}

function whereItLies(folder: string): string {
  try {
    return realpathSync.native(folder);
  } catch {
    return folder;
  }
}
