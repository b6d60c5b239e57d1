import type * as z from 'zod';
import {
  type CheckpointMetadata,
  checkpointMetadataSchema,
  checkpointVersion,
} from '../protocol/checkpointMetadata.ts';
import { parseBoundedJson } from '../protocol/boundedJson.ts';
import { userError } from '../protocol/errors.ts';
import { type ResumeState, resumeStateSchema, resumeStateVersion } from '../protocol/resumeState.ts';
import { readSafetensorsMetadata, type SafetensorsMetadata } from './safetensorsHeader.ts';
import { newerVersionOf } from './versionedJson.ts';

/** Where our JSON lies in the metadata of a checkpoint, and in that of the file that its resume needs. */
export const metadataKeys = { checkpoint: 'fivecrop', resume: 'resume' } as const;

/** What a checkpoint says of itself; only the header is read. Throws a user error for files that are damaged, newer, or not ours. */
export async function readCheckpointMetadata(path: string): Promise<CheckpointMetadata> {
  return checkpointMetadataOf(path, await readSafetensorsMetadata(path));
}

/** What the metadata of a file says of a checkpoint. Throws as `readCheckpointMetadata` does. */
export function checkpointMetadataOf(path: string, metadata: SafetensorsMetadata): CheckpointMetadata {
  return metadataUnder(path, metadata, {
    key: metadataKeys.checkpoint,
    version: checkpointVersion,
    schema: checkpointMetadataSchema,
    isNone:
      'holds weights but is not a checkpoint of Fivecrop: give it as `--weights` together with `--arch`, or choose another file.',
  });
}

/** What the metadata of a file says of the place in a run. Throws as `readCheckpointMetadata` does. */
export function resumeStateOf(path: string, metadata: SafetensorsMetadata): ResumeState {
  return metadataUnder(path, metadata, {
    key: metadataKeys.resume,
    version: resumeStateVersion,
    schema: resumeStateSchema,
    isNone: 'holds no state of a training run: choose another checkpoint.',
  });
}

function parseJson(text: string): unknown {
  try {
    return parseBoundedJson(text);
  } catch {
    return undefined;
  }
}

/** The JSON under one key of a file's metadata, validated; every refusal is a user error that names the file. */
function metadataUnder<Value>(
  path: string,
  metadata: SafetensorsMetadata,
  format: { key: string; version: number; schema: z.ZodType<Value>; isNone: string },
): Value {
  const text = Object.hasOwn(metadata, format.key) ? metadata[format.key] : undefined;
  if (text === undefined) throw userError(`${path} ${format.isNone}`);
  const json = parseJson(text);
  const newer = newerVersionOf(json, format.version);
  if (newer !== undefined) {
    throw userError(
      `${path} was written by a newer Fivecrop (format version ${newer}; this one reads ${format.version}): update Fivecrop to use it.`,
    );
  }
  const parsed = format.schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue ? ` (${issue.path.join('.') || 'as a whole'}: ${issue.message})` : '';
  throw userError(
    `The metadata \`${format.key}\` of ${path} is damaged${where}: use another checkpoint, or train again.`,
  );
}
