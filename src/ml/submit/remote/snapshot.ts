import { copyFile, link, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../../protocol/errors.ts';
import { runFiles } from '../../../protocol/runRecord.ts';
import { lacksResumeFile } from '../../../runs/checkpointFiles.ts';

/** Of one moment and one machine: no copy has them. */
const leftOut: ReadonlySet<string> = new Set([runFiles.lock, runFiles.control, runFiles.job]);

/** How often the checkpoints of a run may change while they are linked. */
const attempts = 20;

/**
 * Makes `snapshot` a copy of a run's folder in which each checkpoint has what its resume needs, however quickly the run
 * writes new ones. Files are links where the disk has them: a run replaces its files, or appends to them.
 */
export async function takeSnapshot(run: string, snapshot: string): Promise<void> {
  const staged = `${snapshot}.new`;
  for (let attempt = 1; ; attempt++) {
    await rm(staged, { recursive: true, force: true });
    await linkFolder(run, staged);
    if (attempt === attempts || !(await lacksResumeFile(join(staged, runFiles.checkpoints)))) break;
  }
  await rm(snapshot, { recursive: true, force: true });
  await rename(staged, snapshot);
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
