import { spawn } from 'node:child_process';
import { cancelled, codeOf, userError, type UserError } from '../../../protocol/errors.ts';

export interface ProgramResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Characters that are kept of what a program says. */
const most = 4_000_000;

/** Says that a program of the system is missing here. */
export function notInstalled(program: string): UserError {
  return userError(`${program} is not installed on this machine: install it.`);
}

/**
 * Runs a program of the system with arguments, no shell between, and gives it `input`. Resolves with its exit code and
 * what it said. Throws a user error where it is not installed, a `CancelledError` where `signal` is aborted, which ends it.
 */
export function runProgram(
  program: string,
  args: readonly string[],
  { input = '', signal }: { readonly input?: string; readonly signal?: AbortSignal | undefined } = {},
): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      // What it says is looked at.
      env: { ...process.env, LC_ALL: 'C' },
      // Ctrl-C is for this process, which ends it by its signal.
      detached: true,
    });
    const said = { stdout: '', stderr: '' };
    const end = () => child.kill('SIGTERM');
    if (signal?.aborted) end();
    signal?.addEventListener('abort', end);
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        said[stream] = (said[stream] + text).slice(-most);
      });
    // It may end before it has read everything.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    child.on('error', (error) => {
      signal?.removeEventListener('abort', end);
      reject(codeOf(error) === 'ENOENT' ? notInstalled(program) : error);
    });
    child.on('close', (code) => {
      signal?.removeEventListener('abort', end);
      if (signal?.aborted) reject(cancelled());
      else resolve({ code: code ?? 1, ...said });
    });
  });
}
