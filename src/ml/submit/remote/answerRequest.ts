import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { userError } from '../../../protocol/errors.ts';
import { isUndone, type RemoteAnswer, type RemoteRequest } from '../../../protocol/remoteMessages.ts';
import { syncFolder } from '../../../runs/atomicFile.ts';
import { requestControl } from '../../../runs/control.ts';
import { digestFiles } from '../digestFiles.ts';
import { filesIn } from '../filesIn.ts';
import { cleanStore } from './cleanStore.ts';
import { alone, isAlive, jobFiles, readJob, remoteRun, removeFrom, runState, startJob, uncopiedRuns } from './job.ts';
import { takeSnapshot } from './snapshot.ts';

/** Does what is asked of a remote host. Throws a user error where it cannot. */
export async function answerRequest(request: RemoteRequest): Promise<RemoteAnswer> {
  // The scripts lie in `dist/ml` of the command, and that in our folder.
  const command = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/u, '');
  const root = dirname(command);
  switch (request.ask) {
    case 'accept':
      await acceptCommand(command, request.sha256);
      return { answer: 'done' };
    case 'prepare':
      for (const folder of request.folders) await mkdir(inside(root, folder), { recursive: true });
      return { answer: 'done' };
    case 'start':
      await startJob(root, join(root, 'jobs', request.job), request.content);
      return { answer: 'done' };
    case 'look': {
      const folder = join(root, 'jobs', request.job);
      // Without it the job was never started.
      if (!existsSync(join(folder, jobFiles.job)))
        return { answer: 'status', root, brought: [], runs: request.runs.map((run) => ({ run, state: 'gone' })) };
      const { brought } = await readJob(folder);
      const runs = await Promise.all(
        request.runs.map(async (run) => {
          // First: what has ended before has written everything that is copied then.
          const state = await runState(folder, run);
          if (state === 'waiting') return { run, state };
          const mark = await takeSnapshot(remoteRun(folder, run), join(folder, 'snapshot', String(run)));
          return { run, state, mark };
        }),
      );
      return { answer: 'status', root, brought, runs };
    }
    case 'copied': {
      const folder = join(root, 'jobs', request.job, jobFiles.copied);
      await mkdir(folder, { recursive: true });
      for (const run of request.runs) await writeFile(join(folder, String(run)), '');
      return { answer: 'done' };
    }
    case 'release':
      await alone(root, () => releaseRun(root, request));
      return { answer: 'done' };
    case 'forget':
      await alone(root, () => removeFrom(root, `features/${request.features}`));
      return { answer: 'done' };
    case 'clean':
      return { answer: 'store', items: [...(await alone(root, () => cleanStore(root, request)))] };
    case 'control': {
      const folder = join(root, 'jobs', request.job);
      await readJob(folder);
      const state = await runState(folder, request.run);
      if (state === 'over' || state === 'lost') throw userError('the run has ended.');
      await requestControl(remoteRun(folder, request.run), request.action);
      return { answer: 'done' };
    }
  }
}

/** Throws a user error where the run trains. */
async function releaseRun(root: string, { job, run }: { readonly job: string; readonly run: number }): Promise<void> {
  const path = `jobs/${job}`;
  const folder = join(root, path);
  if (existsSync(join(folder, jobFiles.job))) {
    if (isUndone(await runState(folder, run))) throw userError('the run still trains.');
    const content = await readJob(folder);
    if ((await isAlive(folder, content)) || (await uncopiedRuns(folder, content)) > 0) return;
  }
  await removeFrom(root, path);
}

/** A path below our folder. Throws where it leads out of it. */
function inside(root: string, path: string): string {
  const folder = join(root, path);
  if (!folder.startsWith(`${root}/`)) throw userError(`${path} is not in the folder of Fivecrop.`);
  return folder;
}

/** Gives the command that was brought, once it is whole, the name by which it is found. */
async function acceptCommand(command: string, sha256: string): Promise<void> {
  if ((await digestFiles(command, await filesIn(command))) !== sha256) {
    await rm(command, { recursive: true, force: true });
    throw userError('the command that arrived is not the one that was sent: try again.');
  }
  const place = join(dirname(command), basename(command).replace('incoming', 'command'));
  // Somebody else may have brought the same at the same time.
  if (existsSync(place)) await rm(command, { recursive: true, force: true });
  else await rename(command, place);
  await syncFolder(dirname(place));
}
