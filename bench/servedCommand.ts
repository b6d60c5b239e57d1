import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const command = join(import.meta.dirname, '../dist/ml/fivecrop.mjs');

/** A `fivecrop serve` that runs in a process of its own. */
export interface ServedCommand {
  readonly address: string;
  /** Asks it to stop as a system does, waits for its end, and gives its exit code. */
  stop(): Promise<number | null>;
}

/** Starts the built command on a free port. Throws with what it said if it ends instead. */
export async function startServed(args: readonly string[]): Promise<ServedCommand> {
  const child = spawn(process.execPath, [command, 'serve', ...args, '--port', '0'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  const said: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text));
  for await (const line of createInterface(child.stdout)) {
    const [, address] = /^Serving .* at (http:\S+)$/u.exec(line) ?? [];
    if (address === undefined) continue;
    child.stdout.resume();
    return {
      address,
      stop: () => {
        child.kill('SIGTERM');
        return ended;
      },
    };
  }
  throw new Error(`fivecrop serve ended with ${String(await ended)}:\n${said.join('')}`);
}
