import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join, win32 } from 'node:path';
import type { CheckpointMetadata } from '../../protocol/checkpointMetadata.ts';
import { userError } from '../../protocol/errors.ts';

/** The ONNX file that a checkpoint's head was trained on, as its metadata names it. */
export type BackboneReference = Extract<CheckpointMetadata['network'], { kind: 'backbone' }>;

/**
 * The bytes of the ONNX file that a checkpoint was trained on: from where it lay then, from beside the checkpoint, or from
 * the run's folder; the one whose hash is right. Throws a user error where there is none.
 */
export async function readBackboneOf(reference: BackboneReference, checkpoint: string): Promise<Uint8Array> {
  // The checkpoint may come from another system, whose paths have other separators.
  const name = win32.basename(reference.file);
  const beside = dirname(checkpoint);
  const candidates = [reference.file, join(beside, name), join(dirname(beside), name)];
  let changed: string | undefined;
  for (const file of candidates) {
    const bytes = await readFile(file).catch(() => undefined);
    if (!bytes) continue;
    if (sha256(bytes) === reference.sha256) return bytes;
    changed ??= file;
  }
  const missing = changed
    ? `${changed} is not the file that ${basename(checkpoint)} was trained on`
    : `${basename(checkpoint)} needs the backbone ${reference.file}, which is not there`;
  throw userError(`${missing}; put ${name} with the sha256 ${reference.sha256.slice(0, 16)}… beside the checkpoint.`);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
