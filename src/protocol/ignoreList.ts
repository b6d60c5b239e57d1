/** The file in a data folder that lists the images that are put aside. */
export const ignoreFile = 'fivecrop-ignore.txt';

/** The paths that an ignore list names, as `ignoreKey` writes them. */
export type IgnoreList = ReadonlySet<string>;

/**
 * Reads an ignore list: on each line a file or a folder, relative to the folder that the list lies in, with `/`. Blank
 * lines and those that begin with `#` say nothing; a path that begins with `#` or `\` has a `\` before it. There are no
 * patterns.
 */
export function parseIgnoreList(text: string): IgnoreList {
  return new Set(
    text
      .replace(/^\uFEFF/u, '')
      .split('\n')
      .flatMap(pathOnLine),
  );
}

/** The path that a line of an ignore list names, as `ignoreKey` writes it: one or none. */
export function pathOnLine(line: string): string[] {
  const plain = line.replace(/\r$/u, '');
  if (plain.trim() === '' || plain.startsWith('#')) return [];
  const path = plain.replace(/^\\/u, '').replace(/^(\.?\/)+/u, '').replace(/\/+$/u, ''); // prettier-ignore
  return path === '' ? [] : [ignoreKey(path)];
}

/** The line that names a path. */
export function ignoreLine(path: string): string {
  return /^[#\\]/u.test(path) ? `\\${path}` : path;
}

/** A path as lists are asked for it: some disks write the same name in other characters than the list has. */
export function ignoreKey(path: string): string {
  return path.normalize('NFC');
}
