import { relative, sep } from 'node:path';

/** A path inside a data folder, relative to it, with `/`. */
export function pathIn(root: string, file: string): string {
  return relative(root, file).split(sep).join('/');
}
