import { randomBytes } from 'node:crypto';
import { CancelledError, usageError } from '../../../protocol/errors.ts';
import { jobRecordVersion } from '../../../protocol/jobRecord.ts';
import type { RemoteState } from '../../../protocol/remoteMessages.ts';
import { readJobRecord, writeJobRecord } from '../../../runs/job.ts';
import { readRunRecord } from '../../../runs/record.ts';
import { queueRuns, takeBack } from '../queueRuns.ts';
import type { Explanation, FolderCopier, JobRun, Submission, SubmitTarget } from '../target.ts';
import { bringData } from './bringData.ts';
import { isConnectionLost } from './connectionError.ts';
import { createCopier, remotePlace, type RunCopier } from './copyRuns.ts';
import { checkHost, connectHost, type RemoteListeners } from './remoteHost.ts';

/** Another machine that is reached by the system’s ssh and rsync. It shares no disk: what it needs is brought, what it makes copied back. */
export const sshTarget: SubmitTarget = {
  takesSweeps: false,
  hasEnvironment: false,
  check: ({ place }) => void hostIn(place),
  ownOptions: ['parallel'],
  submit,
  explain,
  cancel: (runs) => controlEach(runs, 'stop'),
  control: (run, action) => controlEach([run], action),
  copier: openCopier,
};

async function submit(submission: Submission): Promise<readonly string[]> {
  const { runs, place, options, say, signal } = submission;
  const name = hostIn(place);
  const queued = await queueRuns(submission);
  const folders = queued.map(({ folder }) => folder);
  const before = await Promise.all(folders.map((folder) => readJobRecord(folder).catch(() => undefined)));
  let handedOver = false;
  try {
    const host = await connectHost(name, { say, signal });
    const records = await Promise.all(folders.map(readRunRecord));
    const brought = await bringData(
      host,
      records.map(({ config }) => config),
      say,
    );
    const job = randomBytes(8).toString('hex');
    await host.ask({ ask: 'prepare', folders: folders.map((_, index) => `jobs/${job}/runs/${index + 1}`) });
    for (const [index, folder] of folders.entries())
      await host.push(`${folder}/`, `jobs/${job}/runs/${index + 1}/`, notBrought);
    for (const [index, folder] of folders.entries())
      await writeJobRecord(folder, {
        ...{ version: jobRecordVersion, scheduler: 'ssh', job: `${job}_${index + 1}`, host: name },
        submitted: new Date().toISOString(),
      });
    const parallel = typeof options['parallel'] === 'number' ? options['parallel'] : 1;
    handedOver = true;
    await host.ask({ ask: 'start', job, content: { runs: runs.length, parallel, brought: [...brought] } });
    return folders;
  } catch (error) {
    // What was asked for may have been done, and only the answer be lost, or not waited for.
    if (handedOver && (isConnectionLost(error) || error instanceof CancelledError)) throw error;
    for (const [index, record] of before.entries()) if (record) await writeJobRecord(folders[index] ?? '', record);
    await takeBack(queued);
    throw error;
  }
}

function hostIn(place: string | undefined): string {
  if (place === undefined || place === '') throw usageError('Name a host, as in --to ssh:gpu1 or --to ssh:me@gpu1.');
  return checkHost(place);
}

/** Of a run's folder, what is of this machine alone. */
const notBrought = ['.*', 'run.lock*', 'control.json', 'job.json', '*.tmp'].map((name) => `--exclude=${name}`);

/** Runs by the host that has them. */
function byHost(runs: readonly JobRun[]): ReadonlyMap<string, readonly JobRun[]> {
  const hosts = new Map<string, JobRun[]>();
  for (const run of runs) {
    // job.json may come from anybody.
    const host = checkHost(run.job.host ?? '');
    hosts.set(host, [...(hosts.get(host) ?? []), run]);
  }
  return hosts;
}

async function explain(runs: readonly JobRun[]): Promise<ReadonlyMap<string, Explanation>> {
  const found = new Map<string, Explanation>();
  // Of the others, all has been copied.
  const open = runs.filter(({ state }) => state === 'queued' || state === 'broken off');
  for (const [name, members] of byHost(open)) {
    try {
      const copier = createCopier(await connectHost(name, { say: () => undefined }), members);
      const states = await copier.copy().finally(copier.close);
      for (const [folder, state] of states) found.set(folder, explanationOf(name, state));
    } catch (error) {
      if (!isConnectionLost(error) || !(error instanceof Error)) throw error;
      // It may still train there.
      const sentence = error.message.replace(/\.$/u, '');
      for (const { folder } of members) found.set(folder, { isThere: true, sentence });
    }
  }
  return found;
}

const sentences: Readonly<Record<RemoteState, (host: string) => string>> = {
  waiting: (host) => `it waits on ${host}`,
  training: (host) => `it trains on ${host}`,
  over: (host) => `it has ended on ${host}`,
  lost: (host) => `its process on ${host} ended without a word`,
  gone: (host) => `it is not on ${host} any more`,
};

function explanationOf(host: string, state: RemoteState): Explanation {
  return { isThere: isOpen(state), sentence: sentences[state](host) };
}

function isOpen(state: RemoteState): boolean {
  return state === 'waiting' || state === 'training';
}

async function controlEach(runs: readonly JobRun[], action: 'stop' | 'pause' | 'resume'): Promise<void> {
  for (const [name, members] of byHost(runs)) {
    const host = await connectHost(name, { say: () => undefined });
    for (const { job } of members) await host.ask({ ask: 'control', ...remotePlace(job), action });
  }
}

/** What brings the folders of runs up to date, all hosts together. */
async function openCopier(runs: readonly JobRun[], listeners: RemoteListeners): Promise<FolderCopier> {
  const copiers: RunCopier[] = [];
  for (const [name, members] of byHost(runs)) {
    copiers.push(createCopier(await connectHost(name, listeners), members));
  }
  return {
    folders: runs.map(({ folder }) => folder),
    copy: async () => {
      const open = new Set<string>();
      for (const copier of copiers)
        for (const [folder, state] of await copier.copy()) if (isOpen(state)) open.add(folder);
      return open;
    },
    close: async () => {
      for (const copier of copiers) await copier.close();
    },
  };
}
