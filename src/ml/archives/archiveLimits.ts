import { statfs } from 'node:fs/promises';
import { userError } from '../../protocol/errors.ts';
import { megabytes } from '../../protocol/megabytes.ts';

/** What an archive may hold: far more than any data set of images, and less than harms a machine. */
export interface ArchiveLimits {
  /** Files and folders, those that are not unpacked too. */
  readonly entries: number;
  /** Bytes of all files, unpacked. */
  readonly bytes: number;
  /** How many times its own size an archive may unpack to, once it unpacks to more than `freeOfRatio` bytes. */
  readonly ratio: number;
  readonly freeOfRatio: number;
}

export const archiveLimits: ArchiveLimits = {
  entries: 5_000_000,
  bytes: 4 * 2 ** 40,
  // Images are compressed already; drawings of one colour, saved as BMP, reach a hundred.
  ratio: 200,
  freeOfRatio: 2 ** 30,
};

/** Counts what an archive says that it holds. */
export interface ArchiveBudget {
  /** Takes another entry into account; `isTaken` where it is written to the disk. Throws a user error beyond a limit. */
  readonly add: (bytes: number, isTaken: boolean) => void;
}

/**
 * A budget for an archive of so many bytes that is unpacked into `folder`. A zip says all its sizes before anything is
 * written, a tar one after the other.
 */
export async function createArchiveBudget(
  archive: string,
  archiveBytes: number,
  folder: string,
  limits: ArchiveLimits = archiveLimits,
): Promise<ArchiveBudget> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  let [entries, bytes, written] = [0, 0, 0];
  return {
    add: (size, isTaken) => {
      entries++;
      bytes += size;
      if (isTaken) written += size;
      if (entries > limits.entries) {
        throw userError(`${archive} holds more than ${limits.entries} files and folders, so it is not unpacked.`);
      }
      if (!(size >= 0) || bytes > limits.bytes) {
        throw userError(`${archive} holds more than ${megabytes(limits.bytes)}, so it is not unpacked.`);
      }
      if (bytes > limits.freeOfRatio && bytes > limits.ratio * archiveBytes) {
        throw userError(
          `${archive} unpacks to more than ${limits.ratio} times its own size, as archives do that are made to fill disks, so it is not unpacked.`,
        );
      }
      if (written > free) {
        throw userError(
          `${archive} needs more than the ${megabytes(free)} that are free in ${folder}: free some space, or choose a folder on another disk.`,
        );
      }
    },
  };
}
