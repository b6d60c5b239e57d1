import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type RunControl,
  type RunControlAction,
  runControlSchema,
  runControlVersion,
} from '../protocol/runControl.ts';
import { runFiles } from '../protocol/runRecord.ts';
import { writeTextAtomically } from './atomicFile.ts';
import { type FileLimit, readBoundedJson } from './boundedFile.ts';
import { temporaryName } from './temporaryFiles.ts';

const limit: FileLimit = { what: 'a request to a run', bytes: 4096 };

/** Asks whoever trains the run in `folder`, on whatever machine. Throws a user error where the disk refuses. */
export async function requestControl(folder: string, action: RunControlAction): Promise<void> {
  const request: RunControl = { version: runControlVersion, action, time: new Date().toISOString() };
  await writeTextAtomically(join(folder, runFiles.control), `${JSON.stringify(request)}\n`);
}

/** What the run in `folder` is asked for and has not taken note of; undefined where there is nothing that can be understood. */
export async function readControl(folder: string): Promise<RunControl | undefined> {
  return understood(join(folder, runFiles.control));
}

/** Takes note of what the run is asked for: it is read and removed, so that it is heard once. Never throws. */
export async function takeControl(folder: string): Promise<RunControl | undefined> {
  const file = join(folder, runFiles.control);
  if (!existsSync(file)) return undefined;
  const own = temporaryName(file);
  try {
    // What is written after this is another request.
    await rename(file, own);
  } catch {
    return undefined;
  }
  const request = await understood(own);
  await rm(own, { recursive: true, force: true }).catch(() => undefined);
  return request;
}

async function understood(file: string): Promise<RunControl | undefined> {
  const content = await readBoundedJson(file, limit).catch(() => undefined);
  return runControlSchema.safeParse(content).data;
}
