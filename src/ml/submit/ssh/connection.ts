import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { cancelled, codeOf, userError, type UserError } from '../../../protocol/errors.ts';
import { lineSplitter } from '../../../protocol/lines.ts';
import { answerMark } from '../../../protocol/remoteMessages.ts';
import { makeConnectionFolder } from './connectionFolder.ts';
import { connectionError, lastLine } from './connectionError.ts';
import { notInstalled, runProgram } from './runProgram.ts';

/**
 * Nobody is asked anything; a silent host is given up after a minute; what a configuration adds stays out of the way, and
 * the keys of an agent stay here.
 */
export const sshOptions = [
  ...['BatchMode=yes', 'ConnectTimeout=20', 'ServerAliveInterval=15', 'ServerAliveCountMax=4'],
  ...['ClearAllForwardings=yes', 'ForwardAgent=no', 'ForwardX11=no', 'RemoteCommand=none', 'RequestTTY=no'],
].flatMap((option) => ['-o', option]);

/** A connection with a host that stays open: a program there answers, and other programs of ours go the same way. */
export interface Connection {
  /**
   * Asks the program there, which answers one after the other. Connects where there is no connection, or none any more.
   * Throws a `CancelledError` at an abort, and a user error where there comes no answer.
   */
  readonly ask: (request: string, signal: AbortSignal | undefined) => Promise<string>;
  /** Options by which another ssh goes the same way for as long as the connection stands. */
  readonly sharing: () => readonly string[];
  readonly close: () => Promise<void>;
}

/** Names a connection with `program` on a host; the first question opens it. */
export async function createConnection(host: string, program: string): Promise<Connection> {
  const folder = (await isShared(host)) ? undefined : await makeConnectionFolder();
  // Otherwise each ssh connects by itself.
  const canShare = folder !== undefined && /^[\w./-]+$/u.test(folder) && folder.length <= longestFolder;
  let talk: Talk | undefined;
  let count = 0;
  const socketOf = () => ['-o', `ControlPath=${join(folder ?? '', String(count))}`];
  return {
    ask: async (request, signal) => {
      if (signal?.aborted) throw cancelled();
      if (talk === undefined || talk.isOver()) {
        // What broke off may have left its socket.
        count++;
        const master = ['-o', 'ControlMaster=yes', '-o', 'ControlPersist=no', ...socketOf()];
        // Others would lose theirs with this one.
        talk = openTalk(host, program, canShare ? master : ['-o', 'ControlMaster=no']);
      }
      return unlessAborted(talk.ask(request), signal);
    },
    sharing: () => (canShare && talk?.isOver() === false ? ['-o', 'ControlMaster=no', ...socketOf()] : []),
    close: async () => {
      await talk?.end();
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Characters of a folder in which a socket has room, with what ssh adds to its name while it makes it: systems take 104 in all. */
const longestFolder = 80;

/** Whether the configuration of ssh has connections shared already: perhaps nobody gets in by another one. */
async function isShared(host: string): Promise<boolean> {
  const { stdout } = await runProgram('ssh', ['-G', '--', host]);
  const path = /^controlpath (?<path>.+)$/mu.exec(stdout)?.groups?.['path'];
  return path !== undefined && path !== 'none';
}

/** One ssh whose program answers. */
interface Talk {
  readonly ask: (request: string) => Promise<string>;
  readonly isOver: () => boolean;
  readonly end: () => Promise<void>;
}

interface Waiting {
  readonly resolve: (answer: string) => void;
  readonly reject: (error: Error) => void;
}

/** Characters that are kept of what ssh says. */
const most = 10_000;
/** Characters of a line; no answer is nearly as long. */
const longestLine = 4_000_000;

function openTalk(host: string, program: string, master: readonly string[]): Talk {
  const child = spawn('ssh', ['-T', ...sshOptions, ...master, '--', host, `exec ${program}`], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C' },
    // Ctrl-C is for this process, which ends it in good order.
    detached: true,
  });
  const waiting: Waiting[] = [];
  let said = '';
  let failure: Error | undefined;
  const hear = (line: string) => {
    if (line.startsWith(answerMark)) waiting.shift()?.resolve(line.slice(answerMark.length));
  };
  const giveUp = () => {
    failure ??= notUnderstood(host);
    child.kill('SIGKILL');
  };
  child.stdout.setEncoding('utf8').on('data', lineSplitter(longestLine, hear, giveUp));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-most)));
  child.stdin.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => {
    const end = (error: Error) => {
      failure ??= error;
      for (const { reject } of waiting.splice(0)) reject(failure);
      resolve();
    };
    child.on('error', (error) => end(codeOf(error) === 'ENOENT' ? notInstalled('ssh') : error));
    child.on('close', (code) => end(code === 255 ? connectionError(host, said) : noAnswer(host, code ?? 1, said)));
  });
  return {
    ask: (request) =>
      new Promise((resolve, reject) => {
        if (failure) reject(failure);
        else {
          waiting.push({ resolve, reject });
          child.stdin.write(`${request}\n`);
        }
      }),
    isOver: () => failure !== undefined,
    end: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Says that a host answered something else than our program does. */
export function notUnderstood(host: string, cause?: unknown): UserError {
  return userError(`${host} answered what cannot be understood: is that this version of Fivecrop?`, cause);
}

function noAnswer(host: string, code: number, said: string): Error {
  const last = lastLine(said);
  return userError(
    `${host} did not answer: its program ended with exit code ${code}${last === '' ? '' : ` and said: ${last}`}.`,
  );
}

function unlessAborted<Result>(work: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(cancelled());
    signal?.addEventListener('abort', abort);
    work.then(resolve, reject).finally(() => signal?.removeEventListener('abort', abort));
  });
}
