import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const command = join(import.meta.dirname, '../../dist/ml/fivecrop.mjs');

/** What a command of the shell took. */
export interface Watched {
  readonly seconds: number;
  /** Peak of its memory in MiB, from `/proc`. */
  readonly memory: number;
}

/**
 * Runs `fivecrop` with these arguments to its end; `onLine` hears of each line of standard output as it comes, with the
 * seconds since the start. Throws with what it said where it fails.
 */
export async function watchCommand(
  args: readonly string[],
  onLine: (line: string, seconds: number) => void,
): Promise<Watched> {
  const began = performance.now();
  const child = spawn(process.execPath, [command, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  const said: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text));
  let memory = 0;
  const look = () => (memory = Math.max(memory, peakOf(child.pid)));
  const timer = setInterval(look, 200);
  try {
    for await (const line of createInterface(child.stdout)) onLine(line, (performance.now() - began) / 1000);
  } finally {
    clearInterval(timer);
  }
  const code = await ended;
  if (code !== 0) throw new Error(`fivecrop ${args.join(' ')} ended with ${String(code)}:\n${said.join('')}`);
  return { seconds: (performance.now() - began) / 1000, memory };
}

/** Peak memory in MiB of a process of Linux; 0 where it has ended. */
export function peakOf(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
