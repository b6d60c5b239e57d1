import { fork, type ChildProcess } from 'node:child_process';
import * as l10n from '@vscode/l10n';
import { cancelled, userError } from '../../protocol/errors.ts';
import {
  serviceAnswerSchema,
  type ServiceAnswerBody,
  type ServiceRequest,
  type ServiceRequestBody,
} from '../../protocol/serviceProtocol.ts';

export interface ServiceProcessOptions {
  /** The service's script. */
  readonly script: string;
  /** For Node; none in the editor, whose own would break the child. */
  readonly execArgv?: readonly string[];
  /** Asked at every start, so that changed settings count from the next one. */
  readonly environment: () => NodeJS.ProcessEnv;
  /** What the process writes: stacks of bugs, and words of native libraries. */
  readonly onOutput: (line: string) => void;
  /** After so many milliseconds without a request the process is ended, which frees what it keeps warm. */
  readonly idleMilliseconds: number;
}

export interface ServiceProcessCall {
  /** Every answer but `done` and `error`, as it comes. */
  readonly onAnswer?: (answer: ServiceAnswerBody) => void;
  readonly signal?: AbortSignal;
}

/** The service process as its client sees it: started when it is needed, and again after it ended. */
export interface ServiceProcess {
  /**
   * Resolves at `done`. Rejects with a `UserError`, also where the process ends before; with a `CancelledError` after an
   * abort; with an `Error` for a bug.
   */
  request(request: ServiceRequestBody, call?: ServiceProcessCall): Promise<void>;
  /** Of the process that runs now. */
  readonly pid: number | undefined;
  /** Ends the process where nothing runs; the next request starts it with a fresh environment. */
  restartWhenIdle(): void;
  /** Ends the process; running requests are cancelled. */
  dispose(): void;
}

interface Pending {
  readonly onAnswer: (answer: ServiceAnswerBody) => void;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

interface RunningProcess {
  readonly child: ChildProcess;
  readonly pending: Map<number, Pending>;
  /** Shall end as soon as nothing runs. */
  outdated: boolean;
}

/** Starts nothing yet. */
export function createServiceProcess(options: ServiceProcessOptions): ServiceProcess {
  let running: RunningProcess | undefined;
  let nextId = 0;
  let idle: NodeJS.Timeout | undefined;
  let disposed = false;

  function start(): RunningProcess {
    const child = fork(options.script, [], {
      execArgv: [...(options.execArgv ?? [])],
      env: options.environment(),
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const process: RunningProcess = { child, pending: new Map(), outdated: false };
    for (const stream of [child.stdout, child.stderr]) readLines(stream, options.onOutput);
    child.on('message', (message) => takeAnswer(process.pending, message, options.onOutput));
    child.on('error', (error) => end(process, l10n.t('it could not be started ({0})', error.message)));
    child.on('exit', (code, signal) => end(process, signal ?? l10n.t('exit code {0}', String(code))));
    return process;
  }

  function end(process: RunningProcess, how: string): void {
    if (running === process) running = undefined;
    const error = userError(
      l10n.t('The process that classifies and tests has ended unexpectedly: {0}. Try again; it starts again.', how),
    );
    for (const { reject } of process.pending.values()) reject(error);
    process.pending.clear();
  }

  function stop(process: RunningProcess): void {
    if (running === process) running = undefined;
    for (const { reject } of process.pending.values()) reject(cancelled());
    process.pending.clear();
    if (process.child.connected) process.child.disconnect();
    process.child.kill();
  }

  function settle(process: RunningProcess): void {
    clearTimeout(idle);
    if (process.pending.size > 0) return;
    if (process.outdated) stop(process);
    else {
      idle = setTimeout(() => stop(process), options.idleMilliseconds);
      idle.unref();
    }
  }

  async function request(body: ServiceRequestBody, { onAnswer, signal }: ServiceProcessCall = {}): Promise<void> {
    if (disposed || signal?.aborted) throw cancelled();
    if (running?.outdated) running = undefined;
    const process = (running ??= start());
    const id = nextId++;
    clearTimeout(idle);
    const onAbort = () => send(process, { id, cancel: true });
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      await new Promise<void>((resolve, reject) => {
        process.pending.set(id, { onAnswer: onAnswer ?? (() => undefined), resolve, reject });
        send(process, { id, request: body });
      });
    } finally {
      signal?.removeEventListener('abort', onAbort);
      process.pending.delete(id);
      settle(process);
    }
  }

  return {
    request,
    get pid() {
      return running?.child.pid;
    },
    restartWhenIdle: () => {
      if (!running) return;
      running.outdated = true;
      settle(running);
    },
    dispose: () => {
      disposed = true;
      clearTimeout(idle);
      if (running) stop(running);
    },
  };
}

/** A process that is gone says so by `exit`. */
function send({ child }: RunningProcess, message: ServiceRequest): void {
  if (child.connected) child.send(message, () => undefined);
}

function takeAnswer(pending: Map<number, Pending>, message: unknown, onOutput: (line: string) => void): void {
  const parsed = serviceAnswerSchema.safeParse(message);
  if (!parsed.success) {
    onOutput(`The service sent something that is not an answer: ${parsed.error.message}`);
    return;
  }
  const { id, answer } = parsed.data;
  const request = pending.get(id);
  if (answer.type === 'done') request?.resolve();
  else if (answer.type === 'error') request?.reject(errorOf(answer));
  else request?.onAnswer(answer);
}

function errorOf({ kind, message }: Extract<ServiceAnswerBody, { type: 'error' }>): Error {
  if (kind === 'cancelled') return cancelled();
  return kind === 'user' ? userError(message) : new Error(message);
}

/** Characters of a line of output that are waited for. */
const longestLine = 64 * 1024;

function readLines(stream: NodeJS.ReadableStream | null, onLine: (line: string) => void): void {
  let rest = '';
  stream?.setEncoding('utf8');
  stream?.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    // A native library may write on without ever ending a line.
    if (rest.length > longestLine) lines.push(rest.slice(0, longestLine));
    if (rest.length > longestLine) rest = '';
    for (const line of lines) if (line.trim() !== '') onLine(line);
  });
}
