import { fork } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import * as z from 'zod';
import { sentence } from '../../protocol/bounded.ts';
import { userError } from '../../protocol/errors.ts';
import type { RunControlAction } from '../../protocol/runControl.ts';
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
}

const statusSchema = z.object({ explanation: z.object({ sentence: sentence() }).optional() });

export function createJobs(context: vscode.ExtensionContext): Jobs {
  const submit = (...args: readonly string[]): Promise<string> => runSubmit(context, args);
  return {
    control: async (folder, action) => {
      await submit(action, folder);
    },
    explain: async (folder) => {
      const told = await submit('status', folder, '--json');
      return told.trim() === '' ? undefined : statusSchema.parse(JSON.parse(told)).explanation?.sentence;
    },
  };
}

/** Runs `fivecrop submit`; returns what it prints. Throws a user error in its words, or in an untrusted workspace. */
async function runSubmit(context: vscode.ExtensionContext, args: readonly string[]): Promise<string> {
  requireTrust('controlling');
  const child = fork(context.asAbsolutePath('dist/ml/fivecrop.mjs'), ['submit', ...args], {
    execArgv: [],
    env: workerEnvironment(context),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  if (!child.stdout || !child.stderr) throw new Error('the process has no output');
  const [output, said, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number | null]>,
  ]);
  if (code === 0) return output;
  const last = commandSentence(said.trim().split('\n').at(-1) ?? '');
  throw userError(
    last === '' ? l10n.t('The command ended unexpectedly: {0}.', l10n.t('exit code {0}', String(code))) : last,
  );
}
