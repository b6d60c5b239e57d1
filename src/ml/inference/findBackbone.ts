import { basename, dirname, isAbsolute, join, win32 } from 'node:path';
import type { CheckpointMetadata } from '../../protocol/checkpointMetadata.ts';
import { userError } from '../../protocol/errors.ts';
import { withRegularFile } from '../../runs/boundedFile.ts';
import { sha256OfFile } from '../weights/fileHash.ts';

/** The ONNX file that a checkpoint's head was trained on, as its metadata names it. */
export type BackboneReference = Extract<CheckpointMetadata['network'], { kind: 'backbone' }>;

/**
 * The ONNX file that a checkpoint was trained on, by its hash: where it lay then, beside the checkpoint, or in the run's
 * folder. Nothing else is looked for: a checkpoint comes from anywhere, and what it names is opened only where it is an
 * ordinary file of this machine. Throws a user error where there is none.
 */
export async function findBackboneOf(reference: BackboneReference, checkpoint: string): Promise<string> {
  // The checkpoint may come from another system, whose paths have other separators.
  const name = win32.basename(reference.file);
  const beside = dirname(checkpoint);
  const candidates = [join(beside, name), join(dirname(beside), name)];
  if (isAbsolute(reference.file) && !isOfNetwork(reference.file)) candidates.unshift(reference.file);
  let changed: string | undefined;
  for (const file of candidates) {
    const hash = await withRegularFile(file, () => sha256OfFile(file)).catch(() => undefined);
    if (hash === reference.sha256) return file;
    if (hash !== undefined) changed ??= file;
  }
  const missing = changed
    ? `${changed} is not the file that ${basename(checkpoint)} was trained on`
    : `${basename(checkpoint)} needs the backbone ${reference.file}, which is not there`;
  throw userError(`${missing}; put ${name} with the sha256 ${reference.sha256.slice(0, 16)}… beside the checkpoint.`);
}

/** Opening `\\\\server\\share` would tell that server who we are. */
function isOfNetwork(path: string): boolean {
  return /^[\\/]{2}/u.test(path);
}
