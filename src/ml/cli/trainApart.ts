import { spawn } from 'node:child_process';
import { setMaxListeners } from 'node:events';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { cancelled } from '../../protocol/errors.ts';
import { trainingEventSchema, type TrainingEvent } from '../../protocol/trainingEvents.ts';
import { webhookVariable } from '../webhook/webhook.ts';
import { interruptedExitCode } from './interrupt.ts';
import { ownCommand } from './ownCommand.ts';

/** Who hears of a run that trains in a process of its own. */
export interface ApartListeners {
  readonly onEvent: (event: TrainingEvent) => void;
  /** A line of its standard error: what it prepares, warns of, or fails by. */
  readonly onLine: (line: string) => void;
  /** Environment variables of that process beside ours. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Its abort finishes the step, unless that takes long, and saves. */
  readonly signal: AbortSignal;
}

/** More than may train at the same time; Node.js warns of more than ten listeners. */
const mostAtOnce = 100;

/**
 * Runs `fivecrop train --json` with these arguments in a process of its own, so that its memory is its own and a crash
 * takes nothing with it. It ends with this process, at its next event.
 */
function trainApart(
  args: readonly string[],
  { onEvent, onLine, environment, signal }: ApartListeners,
): Promise<Ending> {
  const [program = process.execPath, ...first] = ownCommand();
  const child = spawn(program, [...first, 'train', ...args, '--json'], {
    // Ctrl-C in a terminal reaches us alone, and we hand it on once.
    detached: true,
    windowsHide: true,
    // The end of the whole is told, not that of each run.
    env: { ...process.env, [webhookVariable]: '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stop = () => child.kill('SIGTERM');
  const stopAtOnce = () => child.kill('SIGKILL');
  setMaxListeners(mostAtOnce, signal, process);
  signal.addEventListener('abort', stop);
  process.on('exit', stopAtOnce);
  createInterface({ input: child.stdout }).on('line', (line) => {
    const event = trainingEventSchema.safeParse(parsed(line));
    if (event.success) onEvent(event.data);
  });
  createInterface({ input: child.stderr }).on('line', onLine);
  return new Promise<Ending>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, killedBy) => resolve({ code, killedBy }));
  }).finally(() => {
    signal.removeEventListener('abort', stop);
    process.off('exit', stopAtOnce);
  });
}

/** How a process ended: by its exit code, or by a signal. */
interface Ending {
  readonly code: number | null;
  readonly killedBy: NodeJS.Signals | null;
}

/** Why a run was not trained to its end. */
export interface TrainingFailure {
  readonly reason: string;
  /** Exit code of its process, where it was not killed. */
  readonly code?: number;
}

/** Lines of a run that failed among which is why. */
const keptLines = 20;

/**
 * `trainApart` to the end of the run: resolves with why not where it failed, `who` being the process in that sentence.
 * Rejects with a `CancelledError` where it was interrupted.
 */
export async function trainToEnd(
  args: readonly string[],
  who: string,
  { onEvent, onLine, environment, signal }: ApartListeners,
): Promise<TrainingFailure | undefined> {
  const lastLines: string[] = [];
  let reason: string | undefined;
  const { code, killedBy } = await trainApart(args, {
    signal,
    ...(environment ? { environment } : {}),
    onEvent: (event) => {
      if (event.event === 'done' && event.state === 'failed') reason = event.reason;
      onEvent(event);
    },
    onLine: (line) => {
      lastLines.push(line);
      if (lastLines.length > keptLines) lastLines.shift();
      onLine(line);
    },
  });
  if (signal.aborted || code === interruptedExitCode) throw cancelled();
  if (code === 0) return undefined;
  const said = lastLines.findLast((line) => line.startsWith('fivecrop: '))?.slice('fivecrop: '.length);
  const killed =
    killedBy === 'SIGKILL'
      ? 'was killed, as a system does whose memory runs out'
      : `was ended by ${killedBy ?? 'a signal'}`;
  const how = code === null ? killed : `ended with exit code ${code}`;
  return { reason: reason ?? said ?? `${who} ${how}.`, ...(code === null ? {} : { code }) };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
