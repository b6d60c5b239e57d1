import { type ChildProcess, spawn } from 'node:child_process';
import process from 'node:process';
import type { TestContext } from 'node:test';
import { command } from '../cli/runCommand.ts';

export interface Begun {
  readonly child: ChildProcess;
  readonly said: () => string;
  readonly ended: Promise<number | null>;
}

/** Starts the built `fivecrop` and does not wait for it. */
export function begin(
  t: TestContext,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): Begun {
  const child = spawn(process.execPath, [command, ...args], {
    cwd,
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  return { child, said: () => said, ended: new Promise((resolve) => child.on('close', resolve)) };
}
