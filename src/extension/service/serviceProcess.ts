import { fork, type ChildProcess } from 'node:child_process';
import * as l10n from '@vscode/l10n';
import { cancelled, userError } from '../../protocol/errors.ts';
import { lineSplitter } from '../../protocol/lines.ts';
import { createRequests, type RequestCall, type Requests } from '../../protocol/requestChannel.ts';
import type { ServiceRequestBody } from '../../protocol/serviceProtocol.ts';

export interface ServiceProcessOptions {
  /** The service's script. */
  readonly script: string;
  /** Asked at every start, so that changed settings count from the next one. */
  readonly environment: () => NodeJS.ProcessEnv;
  /** What the process writes: stacks of bugs, and words of native libraries. */
  readonly onOutput: (line: string) => void;
  /** After so many milliseconds without a request the process is ended, which frees what it keeps warm. */
  readonly idleMilliseconds: number;
}

/** The service process as its client sees it: started when it is needed, and again after it ended. */
export interface ServiceProcess {
  /**
   * Resolves at `done`. Rejects with a `UserError`, also where the process ends before; with a `CancelledError` after an
   * abort; with an `Error` for a bug.
   */
  request(request: ServiceRequestBody, call?: RequestCall): Promise<void>;
  /** Of the process that runs now. */
  readonly pid: number | undefined;
  /** Ends the process where nothing runs; the next request starts it with a fresh environment. */
  restartWhenIdle(): void;
  /** Ends the process; running requests are cancelled. */
  dispose(): void;
}

interface RunningProcess {
  readonly child: ChildProcess;
  readonly requests: Requests;
  /** Shall end as soon as nothing runs. */
  outdated: boolean;
}

/** Starts nothing yet. */
export function createServiceProcess(options: ServiceProcessOptions): ServiceProcess {
  let running: RunningProcess | undefined;
  let idle: NodeJS.Timeout | undefined;
  let disposed = false;

  function start(): RunningProcess {
    const child = fork(options.script, [], {
      execArgv: [],
      env: options.environment(),
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    // A process that is gone says so by `exit`.
    const requests = createRequests((message) => {
      if (child.connected) child.send(message, () => undefined);
    }, options.onOutput);
    const process: RunningProcess = { child, requests, outdated: false };
    for (const stream of [child.stdout, child.stderr]) readLines(stream, options.onOutput);
    child.on('message', requests.take);
    child.on('error', (error) => end(process, l10n.t('it could not be started ({0})', error.message)));
    child.on('exit', (code, signal) => end(process, signal ?? l10n.t('exit code {0}', String(code))));
    return process;
  }

  function end(process: RunningProcess, how: string): void {
    if (running === process) running = undefined;
    process.requests.fail(
      userError(
        l10n.t('The process that classifies and tests has ended unexpectedly: {0}. Try again; it starts again.', how),
      ),
    );
  }

  function stop(process: RunningProcess): void {
    if (running === process) running = undefined;
    process.requests.fail(cancelled());
    if (process.child.connected) process.child.disconnect();
    process.child.kill();
  }

  function settle(process: RunningProcess): void {
    clearTimeout(idle);
    if (process.requests.pending) return;
    if (process.outdated) stop(process);
    else {
      idle = setTimeout(() => stop(process), options.idleMilliseconds);
      idle.unref();
    }
  }

  async function request(body: ServiceRequestBody, call: RequestCall = {}): Promise<void> {
    if (disposed || call.signal?.aborted) throw cancelled();
    if (running?.outdated) running = undefined;
    const process = (running ??= start());
    clearTimeout(idle);
    try {
      await process.requests.ask(body, call);
    } finally {
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

/** Characters of a line of output that are waited for. */
const longestLine = 64 * 1024;

function readLines(stream: NodeJS.ReadableStream | null, onLine: (line: string) => void): void {
  stream?.setEncoding('utf8');
  // A native library may write on without ever ending a line.
  stream?.on('data', lineSplitter(longestLine, onLine, onLine));
}
