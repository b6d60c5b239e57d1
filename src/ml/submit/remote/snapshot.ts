import { createHash } from 'node:crypto';
import { copyFile, link, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../../protocol/errors.ts';
import { runFiles } from '../../../protocol/runRecord.ts';
import { lacksResumeFile } from '../../../runs/checkpointFiles.ts';
import { filesIn } from '../filesIn.ts';

/** Of one moment and one machine: no copy has them. */
const leftOut: ReadonlySet<string> = new Set([runFiles.lock, runFiles.control, runFiles.job]);

/** How often the checkpoints of a run may change while they are linked. */
const attempts = 20;

/**
 * Makes `snapshot` a copy of a run's folder in which each checkpoint has what its resume needs, however quickly the run
 * writes new ones. Files are links where the disk has them: a run replaces its files, or appends to them. Returns a mark that
 * is another one as soon as there is something new.
 */
export async function takeSnapshot(run: string, snapshot: string): Promise<string> {
  const staged = `${snapshot}.new`;
  for (let attempt = 1; ; attempt++) {
    await rm(staged, { recursive: true, force: true });
    await linkFolder(run, staged);
    if (attempt === attempts || !(await lacksResumeFile(join(staged, runFiles.checkpoints)))) break;
  }
  // Before a copy is made of it: what comes to a file after that is new to the next look.
  const mark = await markOf(staged);
  await rm(snapshot, { recursive: true, force: true });
  await rename(staged, snapshot);
  return mark;
}

async function markOf(folder: string): Promise<string> {
  const hash = createHash('sha256');
  for (const file of (await filesIn(folder)).sort()) {
    const { ino, size, mtimeNs } = await stat(join(folder, file), { bigint: true });
    hash.update(`${ino} ${size} ${mtimeNs} ${file}\n`);
  }
  return hash.digest('hex');
}

async function linkFolder(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const name of (await readdir(from)).filter(isKept)) {
    const [source, target] = [join(from, name), join(to, name)];
    const status = await stat(source).catch(() => undefined);
    if (status?.isDirectory()) await linkFolder(source, target);
    else if (status?.isFile()) await linkFile(source, target);
  }
}

/** Whether a copy of a run's folder has files or folders of that name. */
export function isKept(name: string): boolean {
  return !name.startsWith('.') && !name.endsWith('.tmp') && !leftOut.has(name) && !name.startsWith(`${runFiles.lock}.`);
}

async function linkFile(source: string, target: string): Promise<void> {
  try {
    await link(source, target);
  } catch (error) {
    // It was replaced or removed since the folder was listed.
    if (codeOf(error) === 'ENOENT') return;
    await copyFile(source, target).catch((failure: unknown) => {
      if (codeOf(failure) !== 'ENOENT') throw failure;
    });
  }
}
