import process from 'node:process';
import packageJson from '../../../../package.json' with { type: 'json' };
import { usageError, userError } from '../../../protocol/errors.ts';
import {
  answerMark,
  remoteAnswerSchema,
  type RemoteAnswer,
  type RemoteRequest,
  type RemoteStatus,
} from '../../../protocol/remoteMessages.ts';
import { sha256OfFile } from '../../weights/fileHash.ts';
import { bringAlone } from './bringAlone.ts';
import { type Connection, createConnection, notUnderstood, sshOptions } from './connection.ts';
import { connectionError, lastLine } from './connectionError.ts';
import { copyLimitFrom, withinLimit } from './copyLimit.ts';
import { commandScripts, gatherCommand } from './gatherCommand.ts';
import { runProgram } from './runProgram.ts';

/** Our folder on a remote host, from the home folder on. Nothing in it has a name that a shell would read more into. */
export const remoteFolder = '.cache/fivecrop/remote';

/** A host that has what the command needs. */
export interface RemoteHost {
  readonly name: string;
  /** Asks the program there. Throws a user error where it refuses, or as `connectionError` says. */
  readonly ask: (request: RemoteRequest) => Promise<Exclude<RemoteAnswer, { answer: 'refused' }>>;
  readonly status: (request: RemoteRequest) => Promise<RemoteStatus>;
  /** Copies with rsync what changed, `to` being a path below our folder there. A folder to be copied ends with `/`. */
  readonly push: (from: string, to: string, options?: readonly string[]) => Promise<void>;
  /** Copies what changed from there, `from` being a path below our folder. Throws a user error where that is too much. */
  readonly pull: (from: string, to: string) => Promise<void>;
  /** The same host, with another signal that ends what is asked of it. */
  readonly under: (signal: AbortSignal | undefined) => RemoteHost;
  /** Ends the connection, which is also that of the same host with other signals. */
  readonly close: () => Promise<void>;
}

/** Who hears what takes long, and who ends it. */
export interface RemoteListeners {
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * rsync compares times by whole seconds and takes a checkpoint that was written again in the same second for the one before.
 * The rsync of macOS cannot do better than to compare what is in the files.
 */
const allChanges = [process.platform === 'darwin' ? '--ignore-times' : '--modify-window=-1'];

/** Exit codes of rsync where the connection broke off: of its socket, its protocol, by a timeout, and ssh’s own. */
const brokenOff: ReadonlySet<number> = new Set([10, 12, 30, 35, 255]);

/**
 * The host of a target: a name from `~/.ssh/config`, or `user@host`. Throws a usage error for anything else, since ssh
 * takes what begins with `-` for an option, and some options run programs.
 */
export function checkHost(host: string): string {
  if (/^(?:[\w.][\w.-]*@)?[\w.][\w.-]*$/u.test(host) && host.length <= 255) return host;
  throw usageError(
    `"${host}" cannot be a host: name one of ~/.ssh/config, or user@host; a port or an address with colons goes into ~/.ssh/config.`,
  );
}

/**
 * Connects with a host, and brings there what it lacks, once: Node.js of this version, and the command, checked by its
 * hash. Throws a user error where the host is of another platform, has no rsync, or cannot be reached.
 */
export async function connectHost(host: string, { say, signal }: RemoteListeners): Promise<RemoteHost> {
  if (process.platform === 'win32')
    throw userError('Submitting over SSH needs rsync, which Windows does not have: use WSL.');
  const command = await gatherCommand();
  try {
    const name = `command-${command.sha256.slice(0, 16)}`;
    const found = await probe(host, name, signal);
    refuseOther(host, found);
    const node = found.node ?? (await bringNode(host, say, signal));
    const script = (folder: string) => `${node} ${remoteFolder}/${folder}/${commandScripts}/remote.mjs`;
    const bring = async () => {
      // Another process may have brought it meanwhile.
      if ((await probe(host, name, signal)).hasCommand) return;
      const incoming = `incoming-${command.sha256.slice(0, 16)}`;
      await push(host, `${command.folder}/`, `${incoming}/`, { options: ['-L', '--delete'], signal });
      const there = openChannel(host, await createConnection(host, script(incoming)), signal);
      await there.ask({ ask: 'accept', sha256: command.sha256 }).finally(there.close);
    };
    if (!found.hasCommand) {
      say(`Bringing the command to ${host}.`);
      await bringAlone(host, name, bring, signal);
    }
    return openChannel(host, await createConnection(host, script(name)), signal);
  } finally {
    await command.remove();
  }
}

/** Does `work` with a host, as `connectHost` connects with it, and ends the connection. */
export async function withHost<Result>(
  name: string,
  listeners: RemoteListeners,
  work: (host: RemoteHost) => Promise<Result>,
): Promise<Result> {
  const host = await connectHost(name, listeners);
  return work(host).finally(host.close);
}

type Words = Readonly<Partial<Record<string, string>>>;

/** What there is on a host. */
interface Probe {
  readonly os: string;
  readonly cpu: string;
  readonly hasRsync: boolean;
  readonly hasCommand: boolean;
  readonly node: string | undefined;
}

/** A script for the host's `sh`; it says what there is, one word and its value a line. */
function probeScript(command: string): string {
  return `
cd || exit 1
umask 077
mkdir -p ${remoteFolder}/jobs ${remoteFolder}/data ${remoteFolder}/weights && chmod 700 ${remoteFolder} || exit 1
say() { printf '${answerMark}%s\\n' "$*"; }
say os "$(uname -s)"
say cpu "$(uname -m)"
command -v rsync >/dev/null && say rsync yes
[ -d ${remoteFolder}/${command} ] && say command yes
for node in "$(command -v node)" ${remoteFolder}/node-*/node; do
  version=$("$node" --version 2>/dev/null) && say node "$version $node"
done
say end yes
`;
}

interface FoundNode {
  readonly version: string;
  readonly path: string;
}

/**
 * The Node.js of a host that runs the command: of this version, as that is what was tried; an editor, which brings none
 * of its own, takes another one that is new enough. A name in which a shell would read more is not used.
 */
export function chooseNode(
  found: readonly FoundNode[],
  here: { readonly version: string; readonly isEditor: boolean },
): string | undefined {
  const usable = found.filter(({ path }) => /^[\w@%+=:,./-]+$/u.test(path));
  const same = usable.find(({ version }) => version === here.version);
  const fit = here.isEditor ? usable.find(({ version }) => majorOf(version) >= leastNode) : undefined;
  return (same ?? fit)?.path;
}

/** The first Node.js that the command runs with. */
const leastNode = majorOf(packageJson.engines.node);

function majorOf(version: string): number {
  return Number(/\d+/u.exec(version)?.[0] ?? 0);
}

/** Whether this process is that of an editor, which is no Node.js that another machine could run. */
function isEditor(): boolean {
  return 'electron' in process.versions;
}

async function probe(host: string, command: string, signal: AbortSignal | undefined): Promise<Probe> {
  const { code, stdout, stderr } = await ssh(host, 'exec sh -s', probeScript(command), signal);
  const lines = answersIn(stdout).map((line): [string, string] => {
    const space = line.indexOf(' ');
    return [line.slice(0, space), line.slice(space + 1).trim()];
  });
  const said: Words = Object.fromEntries(lines);
  if (said['end'] === undefined)
    throw userError(`${host} cannot be used: its shell ended with exit code ${code}${saidLast(stderr)}.`);
  const nodes = lines
    .filter(([word]) => word === 'node')
    .map(([, value]) => ({ version: value.split(' ')[0] ?? '', path: value.slice(value.indexOf(' ') + 1) }));
  return {
    ...{ os: said['os'] ?? '?', cpu: said['cpu'] ?? '?' },
    ...{ hasRsync: said['rsync'] !== undefined, hasCommand: said['command'] !== undefined },
    node: chooseNode(nodes, { version: process.version, isEditor: isEditor() }),
  };
}

const systems: Words = { Linux: 'linux', Darwin: 'darwin' };
const processors: Words = { x86_64: 'x64', amd64: 'x64', aarch64: 'arm64', arm64: 'arm64' };

function refuseOther(host: string, { os, cpu, hasRsync }: Probe): void {
  const there = `${systems[os] ?? os}-${processors[cpu] ?? cpu}`;
  const here = `${process.platform}-${process.arch}`;
  if (there !== here)
    throw userError(
      `${host} is ${there} and this machine ${here}, whose command does not run there: submit from a machine of its kind, or install Fivecrop on ${host}.`,
    );
  if (!hasRsync) throw userError(`${host} has no rsync: install it there.`);
}

/** Brings the Node.js that runs this. Gives its path there, from the home folder on. */
async function bringNode(host: string, say: (line: string) => void, signal: AbortSignal | undefined): Promise<string> {
  if (isEditor()) throw noNode(host, 'this one is part of an editor');
  const sha256 = await sha256OfFile(process.execPath);
  const folder = `node-${process.version}-${sha256.slice(0, 16)}`;
  const path = `${remoteFolder}/${folder}/node`;
  say(`Bringing Node.js ${process.version} to ${host}.`);
  await ssh(host, 'exec sh -s', `mkdir -p "$HOME/${remoteFolder}/${folder}"\n`, signal);
  await push(host, process.execPath, `${folder}/node`, { options: ['-L', '-p'], signal });
  const { code, stdout, stderr } = await ssh(host, `exec ${path} --version`, '', signal);
  if (code !== 0 || !stdout.includes(process.version)) throw noNode(host, lastLine(stderr) || `it ends with ${code}`);
  return path;
}

function noNode(host: string, why: string): Error {
  return userError(
    `${host} has no Node.js ${process.version}, and that of this machine does not run there (${why}): install that version there.`,
  );
}

function answersIn(stdout: string): string[] {
  return stdout
    .split('\n')
    .filter((line) => line.startsWith(answerMark))
    .map((line) => line.slice(answerMark.length));
}

/** A host whose program answers over a connection. */
function openChannel(host: string, connection: Connection, signal: AbortSignal | undefined): RemoteHost {
  const ask: RemoteHost['ask'] = async (request) => {
    const answer = understood(host, await connection.ask(JSON.stringify(request), signal));
    if (answer.answer === 'refused') throw userError(`${host}: ${answer.message}`);
    return answer;
  };
  return {
    name: host,
    ask,
    status: async (request) => {
      const answer = await ask(request);
      if (answer.answer !== 'status') throw new Error(`unexpected answer: ${answer.answer}`);
      return answer;
    },
    push: (from, to, options = []) => push(host, from, to, { options, sharing: connection.sharing(), signal }),
    pull: (from, to) =>
      withinLimit(to, host, copyLimitFrom(), (limit) =>
        copy(host, [...allChanges, '--delete', '--', placeOn(host, from), to], {
          ...{ filled: 'this machine', sharing: connection.sharing() },
          signal: signal ? AbortSignal.any([signal, limit]) : limit,
        }),
      ),
    under: (other) => openChannel(host, connection, other),
    close: connection.close,
  };
}

interface Copying {
  /** Options of ssh by which it goes the way of another one. */
  readonly sharing?: readonly string[];
  readonly signal: AbortSignal | undefined;
}

function push(
  host: string,
  from: string,
  to: string,
  { options, ...copying }: Copying & { readonly options: readonly string[] },
): Promise<void> {
  return copy(host, [...options, '--', from, placeOn(host, to)], { ...copying, filled: host });
}

/** A path below our folder on a host, as rsync knows it. */
function placeOn(host: string, path: string): string {
  return `${host}:${remoteFolder}/${path}`;
}

/** Copies with rsync; `filled` is whose disk may become full. */
async function copy(
  host: string,
  args: readonly string[],
  { filled, sharing = [], signal }: Copying & { readonly filled: string },
): Promise<void> {
  const rsh = ['ssh', '-T', ...sshOptions, ...sharing].join(' ');
  const all = ['-rt', '--partial-dir=.partial', '--timeout=120', '-e', rsh, ...args];
  const { code, stderr } = await runProgram('rsync', all, { signal });
  if (code === 0) return;
  if (stderr.includes('is your shell clean'))
    throw userError(
      `The shell of ${host} writes to standard output when it starts, by its .bashrc or the like, and rsync takes that for its data: have it do so in interactive shells alone.`,
    );
  if (/No space left on device|Disk quota exceeded/u.test(stderr))
    throw userError(`The disk of ${filled} is full, so nothing more can be copied there: free some space.`);
  if (brokenOff.has(code)) throw connectionError(host, withoutRsync(stderr));
  throw userError(
    `Copying between this machine and ${host} failed: ${firstLine(stderr) || `rsync ended with ${code}`}.`,
  );
}

function understood(host: string, line: string): RemoteAnswer {
  try {
    return remoteAnswerSchema.parse(JSON.parse(line));
  } catch (error) {
    throw notUnderstood(host, error);
  }
}

async function ssh(host: string, command: string, input: string, signal: AbortSignal | undefined) {
  const result = await runProgram('ssh', ['-T', ...sshOptions, '--', host, command], { input, signal });
  if (result.code === 255) throw connectionError(host, result.stderr);
  return result;
}

function saidLast(stderr: string): string {
  const line = lastLine(stderr);
  return line === '' ? '' : ` and said: ${line}`;
}

/** rsync adds lines of its own to those of ssh. */
function withoutRsync(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => !line.startsWith('rsync'));
  return lines.join('\n').trim() === '' ? stderr : lines.join('\n');
}

function firstLine(text: string): string {
  return (text.split('\n').find((line) => line.trim() !== '') ?? '').trim().replace(/\.$/u, '');
}
