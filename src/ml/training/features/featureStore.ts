import { type FileHandle, mkdtemp, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../../protocol/errors.ts';
import { cacheFolder } from '../../cache/cacheFolder.ts';
import { makePrivateFolder, privateFileMode } from '../../cache/privateFolder.ts';
import { diskBudget } from '../../data/diskCache.ts';

/** Rows that are allocated at a time. */
const blockRows = 1024;

export interface FeatureStoreOptions {
  /** Places of an epoch. */
  readonly places: number;
  /** Memory for features; what does not fit goes to a file that nobody else sees and that ends with the run. */
  readonly memoryBytes: number;
  /** Folder in which that file's own folder is made; one in the user's own cache folder without it. */
  readonly folder?: string;
  /** Called once with a sentence when features can no longer be kept. */
  readonly onWarning: (message: string) => void;
}

/**
 * What the frozen part made of the images of this run, a row of equal length for each view and place. It never outlives
 * the process, so it always belongs to the weights, the transform and the files as the run read them.
 */
export interface FeatureStore {
  has(view: number, place: number): boolean;
  /** Keeps a copy of a row and which sample it shows. Where there is no room left it is not kept. */
  keep(view: number, place: number, sample: number, row: Float32Array): Promise<void>;
  /** Copies a row that is kept into `target` and returns which sample it shows. */
  read(view: number, place: number, target: Float32Array): Promise<number>;
  dispose(): Promise<void>;
}

/** Where the rows of a view lie, by place: the row's number, -1 for none, and the sample that it shows. */
interface ViewIndex {
  readonly rows: Int32Array;
  readonly samples: Uint32Array;
}

/** A store with nothing in it. Its owner disposes it. */
export function createFeatureStore({ places, memoryBytes, folder, onWarning }: FeatureStoreOptions): FeatureStore {
  const views = new Map<number, ViewIndex>();
  const blocks: Float32Array[] = [];
  const spill = createSpillFile(folder ?? join(cacheFolder(), 'features'), onWarning);
  let rows = 0;

  const indexOf = (view: number): ViewIndex => {
    const known = views.get(view) ?? { rows: new Int32Array(places).fill(-1), samples: new Uint32Array(places) };
    views.set(view, known);
    return known;
  };
  const rowsInMemory = (width: number) => Math.floor(memoryBytes / (4 * width * blockRows)) * blockRows;
  const inMemory = (row: number, width: number): Float32Array => {
    const block = Math.floor(row / blockRows);
    const values = blocks[block] ?? new Float32Array(blockRows * width);
    blocks[block] = values;
    return values.subarray((row % blockRows) * width, ((row % blockRows) + 1) * width);
  };
  return {
    has: (view, place) => (views.get(view)?.rows[place] ?? -1) >= 0,
    keep: async (view, place, sample, values) => {
      const row = rows++;
      if (row < rowsInMemory(values.length)) inMemory(row, values.length).set(values);
      else if (!(await spill.write(row - rowsInMemory(values.length), values))) return;
      const index = indexOf(view);
      index.rows[place] = row;
      index.samples[place] = sample;
    },
    read: async (view, place, target) => {
      const index = indexOf(view);
      const row = index.rows[place] ?? -1;
      if (row < 0) throw new RangeError(`no features are kept of view ${view} of place ${place}`);
      const limit = rowsInMemory(target.length);
      if (row < limit) target.set(inMemory(row, target.length));
      else await spill.read(row - limit, target);
      return index.samples[place] ?? 0;
    },
    dispose: async () => {
      views.clear();
      blocks.length = 0;
      await spill.dispose();
    },
  };
}

const prefix = 'run-';
/** A folder that has been there for so long was left by a process that is gone, or is still open and needs no name. */
const abandonedMilliseconds = 3_600_000;

/** Removes what dead processes left behind. */
async function sweep(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const path = join(parent, name);
    const info = name.startsWith(prefix) ? await stat(path).catch(() => undefined) : undefined;
    if (!info || info.mtimeMs > Date.now() - abandonedMilliseconds) continue;
    await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** Rows of equal length in a file that is made at the first write and has no name where the platform allows that. */
function createSpillFile(parent: string, onWarning: (message: string) => void) {
  let opened: Promise<{ handle: FileHandle; folder: string; bytes: number }> | undefined;
  let full = false;
  const create = async () => {
    await makePrivateFolder(parent);
    await sweep(parent);
    const folder = await mkdtemp(join(parent, prefix));
    const handle = await open(join(folder, 'rows'), 'wx+', privateFileMode);
    // A process that is killed leaves nothing behind where an open file can be removed.
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
    return { handle, folder, bytes: await diskBudget(parent, 0) };
  };
  const bytesOf = (row: Float32Array) => new Uint8Array(row.buffer, row.byteOffset, row.byteLength);
  return {
    /** False where there is no room; said once. */
    write: async (row: number, values: Float32Array): Promise<boolean> => {
      if (full) return false;
      try {
        const { handle, bytes } = await (opened ??= create());
        if ((row + 1) * values.byteLength > bytes) throw new Error('it is full');
        const { bytesWritten } = await handle.write(bytesOf(values), 0, values.byteLength, row * values.byteLength);
        if (bytesWritten !== values.byteLength) throw new Error('it is full');
        return true;
      } catch (error) {
        full = true;
        onWarning(
          `Features that do not fit into memory are computed again in every epoch, since ${parent} cannot be used (${messageOf(error)}).`,
        );
        return false;
      }
    },
    read: async (row: number, target: Float32Array): Promise<void> => {
      if (!opened) throw new Error('no row was written');
      const { handle } = await opened;
      const { bytesRead } = await handle.read(bytesOf(target), 0, target.byteLength, row * target.byteLength);
      if (bytesRead !== target.byteLength) throw new Error(`row ${row} of the kept features is cut short`);
    },
    dispose: async (): Promise<void> => {
      // A file that could not be opened has been told of.
      const file = await opened?.catch(() => undefined);
      await file?.handle.close();
      if (file) await rm(file.folder, { recursive: true, force: true });
    },
  };
}
