import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import * as l10n from '@vscode/l10n';
import { userError } from '../../protocol/errors.ts';

/** The `fivecrop` command, as the editor starts it. */
export interface CommandProgram {
  /** `dist/ml/fivecrop.mjs`. */
  readonly script: string;
  readonly environment: NodeJS.ProcessEnv;
}

/** Milliseconds between two looks whether a sweep has begun. */
const poll = 100;

/**
 * Starts `fivecrop sweep` with arguments, in a process that outlives this one. Resolves once `hasBegun` says so; rejects
 * with what the process said if it ended before.
 */
export async function startSweep(
  args: readonly string[],
  { script, environment }: CommandProgram,
  hasBegun: () => boolean,
): Promise<void> {
  // A file, since a pipe would break with this process.
  const folder = mkdtempSync(join(tmpdir(), 'fivecrop-sweep-'));
  const words = join(folder, 'said.txt');
  const file = openSync(words, 'w');
  try {
    const child = spawn(process.execPath, [script, 'sweep', ...args], {
      detached: true,
      windowsHide: true,
      stdio: ['ignore', 'ignore', file],
      env: environment,
    });
    let ending: { readonly code: number | null } | undefined;
    let failure: Error | undefined;
    child.on('exit', (code) => (ending = { code }));
    child.on('error', (error) => (failure = error));
    child.unref();
    while (ending === undefined && failure === undefined && !hasBegun()) await delay(poll);
    if (failure) throw userError(l10n.t('The process of the sweep could not be started: {0}', failure.message));
    // A small sweep may have begun and ended between two looks.
    if (ending === undefined || ending.code === 0) return;
    const said = (await readFile(words, 'utf8')).replace(/^fivecrop: /gmu, '').trim();
    throw userError(said === '' ? l10n.t('The process of the sweep ended with code {0}.', String(ending.code)) : said);
  } finally {
    closeSync(file);
    // On Windows it stays until the process has ended.
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}
