import { basename, dirname } from 'node:path';
import { runFiles } from '../../protocol/runRecord.ts';
import { runTitle } from '../../protocol/runTitle.ts';

/** A checkpoint as people call it: `<run>, best`; the file's name where it lies in no run's folder. */
export function checkpointTitle(path: string): string {
  const name = basename(path).replace(/\.(safetensors|pth|pt)$/i, '');
  const folder = dirname(path);
  return basename(folder) === runFiles.checkpoints ? `${runTitle(basename(dirname(folder)))}, ${name}` : name;
}
