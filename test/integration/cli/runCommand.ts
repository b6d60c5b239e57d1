import { spawn } from 'node:child_process';
import { join } from 'node:path';

export const command = join(import.meta.dirname, '../../../dist/ml/fivecrop.mjs');

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Kills the command when it is aborted, as `signal` of a test is when that ends. */
  readonly signal?: AbortSignal;
  /** Hears of standard output while the command runs; the returned signal, if any, is sent to it. */
  readonly onOutput?: (stdout: string) => NodeJS.Signals | undefined;
}

/** Runs the built `fivecrop` in a process of its own. From its sources each start would take seconds. */
export function fivecrop(args: readonly string[], { cwd, env, signal, onOutput }: RunOptions = {}): Promise<Ended> {
  const child = spawn(process.execPath, [command, ...args], {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...process.env, NODE_OPTIONS: '', FIVECROP_DEBUG: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = () => child.kill('SIGKILL');
  signal?.addEventListener('abort', kill);
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.stdout += text;
    const wanted = onOutput?.(said.stdout);
    if (wanted) child.kill(wanted);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (code) => {
      signal?.removeEventListener('abort', kill);
      resolve({ code, ...said });
    });
  });
}
