import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type CheckpointMetadata, checkpointMetadataSchema } from '../../protocol/checkpointMetadata.ts';
import { runFiles } from '../../protocol/runRecord.ts';

/** A checkpoint of a run as lists show it. */
export interface RunCheckpoint {
  readonly path: string;
  /** `best`, `last`, `epoch-3`: the file's name without its ending. */
  readonly name: string;
  /** Undefined where the file cannot be understood. */
  readonly metadata: CheckpointMetadata | undefined;
}

const ending = '.safetensors';
/** Longest header that is read for a list, in bytes; a network of 1,000 tensors has some 200 kB. */
const longestHeader = 8 * 1024 * 1024;
const lengthBytes = 8;

/** The checkpoints of a run: best, last, then epochs, the newest first. Of each file only the header is read. */
export async function listRunCheckpoints(folder: string): Promise<readonly RunCheckpoint[]> {
  const parent = join(folder, runFiles.checkpoints);
  const files = (await readdir(parent).catch((): string[] => [])).filter(isCheckpoint).sort(byRank);
  return Promise.all(
    files.map(async (file) => {
      const path = join(parent, file);
      return { path, name: file.slice(0, -ending.length), metadata: await readCheckpointHeader(path) };
    }),
  );
}

function isCheckpoint(file: string): boolean {
  return file.endsWith(ending) && !file.endsWith(`.resume${ending}`) && !file.startsWith('.');
}

function byRank(a: string, b: string): number {
  const rank = (file: string) => [runFiles.best, runFiles.last].findIndex((name) => name === file) >>> 0;
  return rank(a) - rank(b) || b.localeCompare(a, 'en', { numeric: true });
}

/** What a checkpoint says of itself, from the header of its safetensors file; undefined where it says nothing usable. */
export async function readCheckpointHeader(path: string): Promise<CheckpointMetadata | undefined> {
  const handle = await open(path).catch(() => undefined);
  if (handle === undefined) return undefined;
  try {
    const { buffer: start } = await handle.read(Buffer.alloc(lengthBytes), 0, lengthBytes, 0);
    const length = Number(start.readBigUInt64LE());
    if (length > longestHeader) return undefined;
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, lengthBytes);
    const header = JSON.parse(buffer.toString('utf8', 0, bytesRead)) as { __metadata__?: Record<string, unknown> };
    const own = header.__metadata__?.['fivecrop'];
    return typeof own === 'string' ? checkpointMetadataSchema.safeParse(JSON.parse(own)).data : undefined;
  } catch {
    return undefined;
  } finally {
    await handle.close();
  }
}
