import * as z from 'zod';
import { userError } from '../protocol/errors.ts';

/** A JSON file of ours that carries its version, and how its refusals are told. */
export interface VersionedFormat<Value> {
  readonly version: number;
  readonly schema: z.ZodType<Value>;
  /** Ends "update Fivecrop to ...". */
  readonly use: string;
  /** Says of a file that it does not fit: `is damaged`. */
  readonly misfit: string;
  /** What to do with it then. */
  readonly remedy: string;
}

/** Only the version: enough to tell a file of a newer Fivecrop, whose other fields may be unknown here. */
const versionSchema = z.object({ version: z.number() });

/** The version of content that a newer Fivecrop wrote; undefined for any other content. */
export function newerVersionOf(content: unknown, version: number): number | undefined {
  const found = versionSchema.safeParse(content).data?.version;
  return found !== undefined && found > version ? found : undefined;
}

/** The content of a file, checked. Throws a user error that names the file for what is newer or does not fit. */
export function parseVersioned<Value>(file: string, content: unknown, format: VersionedFormat<Value>): Value {
  const newer = newerVersionOf(content, format.version);
  if (newer !== undefined) {
    throw userError(`${file} was written by a newer Fivecrop (format ${newer}): update Fivecrop to ${format.use}.`);
  }
  const result = format.schema.safeParse(content);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw userError(
    `${file} ${format.misfit} (${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}): ${format.remedy}.`,
  );
}
