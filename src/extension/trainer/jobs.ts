import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import * as z from 'zod';
import { sentence } from '../../protocol/bounded.ts';
import { userError } from '../../protocol/errors.ts';
import type { RunControlAction } from '../../protocol/runControl.ts';
import { runFiles } from '../../protocol/runRecord.ts';
import { isLocked } from '../../runs/lock.ts';
import { commandSentence } from '../commandSentence.ts';
import { requireTrust } from '../requireTrust.ts';
import { workerEnvironment } from '../workerEnvironment.ts';

/** The scheduler or the machine that runs were handed to by `fivecrop submit`, asked where the user wants that. */
export interface Jobs {
  /**
   * Asks the run for something, where it trains. A run that waits or was lost is taken out of the queue by `stop`, and one that
   * has ended or was lost is handed over again by `resume`.
   */
  readonly control: (folder: string, action: RunControlAction) => Promise<void>;
  /** What is known there of a run that waits or was lost; undefined if nothing is. */
  readonly explain: (folder: string) => Promise<string | undefined>;
  /**
   * Brings the folder of a run on a machine that shares no disk up to date until the run or this window ends. Resolves once it
   * does; throws a user error where it cannot.
   */
  readonly follow: (folder: string) => Promise<void>;
  readonly dispose: () => void;
}

const statusSchema = z.object({ explanation: z.object({ sentence: sentence() }).optional() });

/** Milliseconds between two looks whether a run is followed. */
const poll = 100;

export function createJobs(context: vscode.ExtensionContext): Jobs {
  const followers = new Map<string, ChildProcess>();
  const submit = (...args: readonly string[]): Promise<string> => runSubmit(context, args);
  return {
    control: async (folder, action) => {
      await submit(action, folder);
    },
    explain: async (folder) => {
      const told = await submit('status', folder, '--json');
      return told.trim() === '' ? undefined : statusSchema.parse(JSON.parse(told)).explanation?.sentence;
    },
    follow: async (folder) => {
      if (followers.has(folder)) return;
      const { child, ended } = startSubmit(context, ['follow', folder, '--json']);
      // Its events are in the folder.
      child.stdout?.resume();
      followers.set(folder, child);
      const over = ended.finally(() => followers.delete(folder));
      const isFollowed = async () => {
        while (followers.has(folder) && !isLocked(join(folder, runFiles.lock))) await delay(poll);
      };
      // What goes wrong later shows in the run.
      over.catch(() => undefined);
      await Promise.race([over, isFollowed()]);
    },
    dispose: () => {
      for (const child of followers.values()) child.kill('SIGTERM');
    },
  };
}

/** Runs `fivecrop submit`; returns what it prints. Throws a user error in its words, or in an untrusted workspace. */
async function runSubmit(context: vscode.ExtensionContext, args: readonly string[]): Promise<string> {
  const { child, ended } = startSubmit(context, args);
  if (!child.stdout) throw new Error('the process has no output');
  const [output] = await Promise.all([text(child.stdout), ended]);
  return output;
}

/** Starts `fivecrop submit`. Its end throws a user error in its words. Throws one in an untrusted workspace. */
function startSubmit(context: vscode.ExtensionContext, args: readonly string[]) {
  requireTrust('controlling');
  const child = fork(context.asAbsolutePath('dist/ml/fivecrop.mjs'), ['submit', ...args], {
    execArgv: [],
    env: workerEnvironment(context),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  return { child, ended: endOf(child) };
}

async function endOf(child: ChildProcess): Promise<void> {
  if (!child.stderr) throw new Error('the process has no output');
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit') as Promise<[number | null]>]);
  if (code === 0) return;
  const last = commandSentence(said.trim().split('\n').at(-1) ?? '');
  throw userError(
    last === '' ? l10n.t('The command ended unexpectedly: {0}.', l10n.t('exit code {0}', String(code))) : last,
  );
}
