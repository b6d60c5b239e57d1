import { CancelledError, usageError } from '../../../protocol/errors.ts';
import { isUndone, type RemoteState } from '../../../protocol/remoteMessages.ts';
import { readJobRecord, writeJobRecord } from '../../../runs/job.ts';
import { queueRuns, takeBack } from '../queueRuns.ts';
import type { Explanation, FolderCopier, JobRun, StoredThere, Submission, SubmitTarget } from '../target.ts';
import { createBringer } from './bringData.ts';
import { isConnectionLost } from './connectionError.ts';
import { createCopier, remotePlace, type RunCopier } from './copyRuns.ts';
import { checkHost, connectHost, type RemoteHost, type RemoteListeners, withHost } from './remoteHost.ts';
import { remoteSentence } from './remoteSentence.ts';
import { newJob, releaseRun, sendRuns } from './sendRuns.ts';
import { openSshTrainer } from './sshTrainer.ts';

/** Another machine that is reached by the system’s ssh and rsync. It shares no disk: what it needs is brought, what it makes copied back. */
export const sshTarget: SubmitTarget = {
  takesSweeps: false,
  hasEnvironment: false,
  // A sweep may name several.
  check: ({ place }) => void hostsIn(place),
  ownOptions: ['parallel'],
  submit,
  explain,
  cancel: (runs) => controlEach(runs, 'stop'),
  control: (run, action) => controlEach([run], action),
  copier: openCopier,
  openTrainer: (place, options) => openSshTrainer(hostsIn(place), options),
  clean,
};

/** The hosts of a place, which are separated by commas. */
function hostsIn(place: string | undefined): readonly string[] {
  const hosts = requirePlace(place)
    .split(',')
    .map((name) => checkHost(name.trim()));
  if (new Set(hosts).size < hosts.length) throw usageError(`--to ssh:${place ?? ''} names a host twice.`);
  return hosts;
}

function requirePlace(place: string | undefined): string {
  if (place === undefined || place === '') throw usageError('Name a host, as in --to ssh:gpu1 or --to ssh:me@gpu1.');
  return place;
}

async function submit(submission: Submission): Promise<readonly string[]> {
  const { place, options, say, signal } = submission;
  const name = checkHost(requirePlace(place));
  const queued = await queueRuns(submission);
  const folders = queued.map(({ folder }) => folder);
  const before = await Promise.all(folders.map((folder) => readJobRecord(folder).catch(() => undefined)));
  const done = { handedOver: false };
  const give = async (host: RemoteHost) => {
    for (const job of before) if (job?.scheduler === 'ssh' && job.host === name) await releaseRun(host, job);
    const parallel = typeof options['parallel'] === 'number' ? options['parallel'] : 1;
    const start = await sendRuns(host, folders, createBringer(host, say), { job: newJob(), parallel });
    done.handedOver = true;
    await host.ask(start);
  };
  try {
    await withHost(name, { say, signal }, give);
    return folders;
  } catch (error) {
    // What was asked for may have been done, and only the answer be lost, or not waited for.
    if (done.handedOver && (isConnectionLost(error) || error instanceof CancelledError)) throw error;
    for (const [index, record] of before.entries()) if (record) await writeJobRecord(folders[index] ?? '', record);
    await takeBack(queued);
    throw error;
  }
}

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
      const states = await withHost(name, { say: () => undefined }, (host) => {
        const copier = createCopier(host, members);
        return copier.copy().finally(copier.close);
      });
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

function explanationOf(host: string, state: RemoteState): Explanation {
  return { isThere: isUndone(state), sentence: remoteSentence(host, state) };
}

async function controlEach(runs: readonly JobRun[], action: 'stop' | 'pause' | 'resume'): Promise<void> {
  for (const [name, members] of byHost(runs)) {
    await withHost(name, { say: () => undefined }, async (host) => {
      for (const { job } of members) await host.ask({ ask: 'control', ...remotePlace(job), action });
    });
  }
}

/** What brings the folders of runs up to date, all hosts together. */
async function openCopier(runs: readonly JobRun[], listeners: RemoteListeners): Promise<FolderCopier> {
  const copiers: RunCopier[] = [];
  const hosts: RemoteHost[] = [];
  const close = async () => {
    for (const each of [...copiers, ...hosts]) await each.close();
  };
  try {
    for (const [name, members] of byHost(runs)) {
      const host = await connectHost(name, listeners);
      hosts.push(host);
      copiers.push(createCopier(host, members));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    folders: runs.map(({ folder }) => folder),
    copy: async () => {
      const open = new Set<string>();
      for (const copier of copiers)
        for (const [folder, state] of await copier.copy()) if (isUndone(state)) open.add(folder);
      return open;
    },
    close,
  };
}

async function clean(
  place: string | undefined,
  { say, ...request }: { readonly remove: boolean; readonly uncopied: boolean; readonly say: (line: string) => void },
): Promise<readonly StoredThere[]> {
  const answer = await withHost(checkHost(requirePlace(place)), { say }, (host) =>
    host.ask({ ask: 'clean', ...request }),
  );
  if (answer.answer !== 'store') throw new Error(`unexpected answer: ${answer.answer}`);
  return answer.items;
}
