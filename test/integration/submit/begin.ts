import { type ChildProcess, spawn } from 'node:child_process';
import process from 'node:process';
import { command } from '../cli/runCommand.ts';
import type { Ending } from './loopbackSshd.ts';

export interface Begun {
  readonly child: ChildProcess;
  readonly said: () => string;
  readonly ended: Promise<number | null>;
}

/** Starts the built `fivecrop` and does not wait for it; it ends with the test. */
export function begin(t: Ending, args: readonly string[], cwd: string, env: Readonly<Record<string, string>>): Begun {
  const child = spawn(process.execPath, [command, ...args], {
    cwd,
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  t.after(() => {
    child.kill('SIGKILL');
    return ended;
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  return { child, said: () => said, ended };
}
