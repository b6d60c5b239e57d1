import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import * as l10n from '@vscode/l10n';
import { cancelled, messageOf, userError } from '../../protocol/errors.ts';
import type { CropCount } from '../../protocol/serviceProtocol.ts';
import type { TrainingConfig } from '../../protocol/trainingConfig.ts';
import { commandSentence } from '../commandSentence.ts';

export interface ServedModel {
  readonly checkpoint: string;
  readonly crops: CropCount;
  readonly engine: TrainingConfig['engine'];
  readonly device: TrainingConfig['device'];
  /** 0 for a free one. */
  readonly port: number;
}

export interface ServerProgram {
  /** `dist/ml/fivecrop.mjs`. */
  readonly script: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Hears every line that the process says. */
  readonly onLine: (line: string) => void;
}

/** A process that answers requests on this machine. It ends with the process that started it, whatever becomes of that. */
export interface ModelServer {
  /** `http://127.0.0.1:8765`. */
  readonly address: string;
  /** Resolves when the process has ended: to undefined if it was stopped, else to why. */
  readonly ended: Promise<string | undefined>;
  /** Ends it when what it has accepted is answered. */
  readonly stop: () => void;
}

/**
 * Starts `fivecrop serve`; resolves when it answers. Rejects with a user error, in its words, if it cannot, and with a
 * cancellation once `signal` is aborted.
 */
export async function startModelServer(
  { checkpoint, crops, engine, device, port }: ServedModel,
  { script, environment, onLine }: ServerProgram,
  signal: AbortSignal,
): Promise<ModelServer> {
  if (signal.aborted) throw cancelled();
  const options = { port, crops, engine, device };
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = fork(script, ['serve', '--checkpoint', checkpoint, ...flags], {
    execArgv: [],
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const state = { isStopped: false };
  const stop = (): void => {
    state.isStopped = true;
    hangUp(child);
  };
  signal.addEventListener('abort', stop, { once: true });
  const ended = endOf(child, onLine).then((reason) => (state.isStopped ? undefined : reason));
  const address = await Promise.race([addressOf(child, onLine), ended.then(() => undefined)]);
  signal.removeEventListener('abort', stop);
  if (address !== undefined && !state.isStopped) return { address, ended, stop };
  const reason = await ended;
  if (reason === undefined) throw cancelled();
  throw userError(reason);
}

/** The server ends itself when nobody holds its channel. */
function hangUp(child: ChildProcess): void {
  if (child.connected) child.disconnect();
}

/** Why the process ended: the last that it said, as the shell's commands end with their sentence. */
async function endOf(child: ChildProcess, onLine: (line: string) => void): Promise<string> {
  let last: string | undefined;
  const { stderr } = child;
  if (!stderr) throw new Error('the process has no output');
  const lines = createInterface({ input: stderr }).on('line', (line) => {
    if (line.trim() !== '') last = commandSentence(line);
    onLine(line);
  });
  try {
    // `close` does not come once its channel was let go of.
    const [[code]] = await Promise.all([once(child, 'exit') as Promise<[number | null]>, once(lines, 'close')]);
    return last ?? l10n.t('The server ended unexpectedly: {0}.', l10n.t('exit code {0}', String(code)));
  } catch (error) {
    return l10n.t('The server could not be started: {0}', messageOf(error));
  }
}

/** The address that the process says it serves at; never resolves if it says none. */
function addressOf(child: ChildProcess, onLine: (line: string) => void): Promise<string> {
  return new Promise((resolve) => {
    if (!child.stdout) return;
    createInterface({ input: child.stdout }).on('line', (line) => {
      onLine(line);
      const [, address] = / at (http:\/\/\S+)$/u.exec(line) ?? [];
      if (address !== undefined) resolve(address);
    });
  });
}

/** Whether a server could listen on that port of this machine now. */
export async function isFreePort(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
