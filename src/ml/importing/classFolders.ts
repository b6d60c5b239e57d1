import { isPassedOver } from '../../protocol/passedOver.ts';
import { splitOfFolder } from '../../protocol/splitFolders.ts';
import { isDeviceName } from '../archives/entryPaths.ts';

/** Longest name of a folder in bytes, with room for what keeps it apart from another. */
const longest = 200;

/**
 * A folder for each class, by label: its name where every disk can hold that, else one like it. Two labels never have one
 * folder, not even on a disk that does not tell case apart.
 */
export function classFolders(labels: Iterable<string>): ReadonlyMap<string, string> {
  const folders = new Map<string, string>();
  const taken = new Set<string>();
  for (const label of [...new Set(labels)].sort()) folders.set(label, freeName(plainName(label), '', taken));
  return folders;
}

/** A name that no other file or folder in `taken`, which it is added to, has: with a number where one does. */
export function freeName(stem: string, ending: string, taken: Set<string>): string {
  for (let counter = 1; ; counter++) {
    const name = `${stem}${counter === 1 ? '' : `-${counter}`}${ending}`;
    const key = name.normalize('NFC').toLowerCase();
    if (taken.has(key)) continue;
    taken.add(key);
    return name;
  }
}

/** What a label is called as a folder: without what some system cannot hold, hides, or takes for a split. */
function plainName(label: string): string {
  let name = label
    .replaceAll(/[<>:"/\\|?*\p{Cc}]/gu, '_')
    .trim()
    .replace(/[ .]+$/u, '');
  while (Buffer.byteLength(name) > longest) name = name.replace(/.$/su, '');
  if (name === '' || isDeviceName(name) || isPassedOver(name)) return `_${name}`;
  return splitOfFolder(name) === undefined ? name : `class ${name}`;
}
