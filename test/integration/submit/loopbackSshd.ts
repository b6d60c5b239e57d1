import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { codeOf } from '../../../src/protocol/errors.ts';
import { freePorts } from './freePorts.ts';

const run = promisify(execFile);

/** Where programs of the system lie that no ordinary user has in the PATH. */
const places = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];

/** Programs that a remote host has to have; Node.js is not among them. */
const remotePrograms = ['sh', 'rsync', 'uname', 'mkdir', 'chmod'];

/** An SSH server of the test's own, on the loopback interface, behind which lies a home folder of the test's own. */
export interface LoopbackHost {
  /** Home folder of who logs in. */
  readonly home: string;
  /** As long as there is this file, runs on the host are slow, as `slowSteps.mjs` says. */
  readonly slow: string;
  /** Lines of a shell that are read at each login, for a host that has something wrong with it. */
  readonly quirks: string;
  /** The settings of ssh that know the host. */
  readonly config: string;
  /** What `fivecrop` needs in its environment: there the host has the name that it was started with. */
  readonly env: Readonly<Record<string, string>>;
  /** Closes the server and every connection; what it started goes on. */
  readonly stop: () => Promise<void>;
  readonly start: () => Promise<void>;
}

/** Why this machine has no such server; undefined where it has. */
export async function whyNoServer(): Promise<string | undefined> {
  for (const program of ['sshd', 'ssh', 'ssh-keygen', 'rsync'])
    if ((await find(program)) === undefined) return `there is no ${program} here`;
  return undefined;
}

async function find(program: string): Promise<string | undefined> {
  for (const place of places) {
    const path = join(place, program);
    if (await run('test', ['-x', path]).then(Boolean, () => false)) return path;
  }
  return undefined;
}

export interface HostOptions {
  /** `far` without it. */
  readonly name?: string;
  /** Another host that `ssh` knows too. */
  readonly beside?: LoopbackHost;
  /** Whether Node.js is there already. */
  readonly hasNode?: boolean;
}

/** Who hears of the end of what the server is for. */
export interface Ending {
  readonly after: (end: () => Promise<unknown>) => void;
}

/**
 * What ends all that a test has begun, the last first: node:test ends the first first, such as the folder in which the
 * others still write, and then nothing more if that fails.
 */
export function endLastFirst(t: Ending): Ending {
  const ends: (() => Promise<unknown>)[] = [];
  t.after(async () => {
    const failures: unknown[] = [];
    for (const end of ends.reverse()) await end().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw new AggregateError(failures, 'what a test began did not end');
  });
  return { after: (end) => void ends.push(end) };
}

/** Starts a server whose keys, settings and home lie in `folder`; it ends with the test. */
export async function startLoopbackHost(
  t: Ending,
  folder: string,
  { name = 'far', beside, hasNode = false }: HostOptions = {},
): Promise<LoopbackHost> {
  const home = join(folder, 'home');
  const [bin, programs] = [join(folder, 'bin'), join(folder, 'programs')];
  for (const each of [home, bin, programs]) await mkdir(each, { recursive: true });
  for (const program of remotePrograms) await symlink((await find(program)) ?? '', join(programs, program));
  if (hasNode) await symlink(process.execPath, join(programs, 'node'));
  for (const key of ['host', 'user', 'stranger'])
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, key)]);
  const [port = 0] = await freePorts(1);
  const [slow, quirks] = [join(folder, 'slow'), join(folder, 'quirks.sh')];
  const preload = pathToFileURL(join(import.meta.dirname, '../../faults/slowSteps.mjs')).href;
  const script = join(folder, 'login.sh');
  await writeFile(
    script,
    `#!/bin/sh\necho 'Welcome to far!' >&2\nexport HOME='${home}' PATH='${programs}'\nexport FIVECROP_SLOW='${slow}' NODE_OPTIONS='--import ${preload}'\ncd "$HOME"\n[ -f '${quirks}' ] && . '${quirks}'\nexec sh -c "$SSH_ORIGINAL_COMMAND"\n`,
  );
  await chmod(script, 0o755);
  const settings = [
    `Port ${port}`,
    ...['ListenAddress 127.0.0.1', `HostKey ${join(folder, 'host')}`, `AuthorizedKeysFile ${join(folder, 'user.pub')}`],
    ...['StrictModes no', 'UsePAM no', 'PidFile none', 'PasswordAuthentication no', 'PermitRootLogin yes'],
    ...['KbdInteractiveAuthentication no', `ForceCommand ${script}`],
    // The shell that runs the command reads the .bashrc of whoever tests, which takes its time, otherwise.
    `SetEnv HOME=${home}`,
  ];
  await writeFile(join(folder, 'sshd_config'), `${settings.join('\n')}\n`);
  const { username } = userInfo();
  const known = join(folder, 'known_hosts');
  const { stdout: key } = await run('cat', [join(folder, 'host.pub')]);
  await writeFile(known, `[127.0.0.1]:${port} ${key}`);
  const host = (called: string, more: readonly string[]) =>
    [`Host ${called}`, 'HostName 127.0.0.1', `Port ${port}`, `User ${username}`, 'IdentitiesOnly yes', ...more].join(
      '\n  ',
    );
  const [identity, knows] = [`IdentityFile ${join(folder, 'user')}`, `UserKnownHostsFile ${known}`];
  const clients = [
    ...(beside ? [`Include ${beside.config}`] : []),
    host(name, [identity, knows]),
    host('keyless', [`IdentityFile ${join(folder, 'stranger')}`, knows]),
    host('unknown', [identity, `UserKnownHostsFile ${join(folder, 'nobody')}`]),
    host('changed', [identity, `UserKnownHostsFile ${join(folder, 'changed')}`]),
  ];
  // The key of somebody else under the address of this one.
  const { stdout: other } = await run('cat', [join(folder, 'stranger.pub')]);
  await writeFile(join(folder, 'changed'), `[127.0.0.1]:${port} ${other}`);
  const config = join(folder, 'ssh_config');
  await writeFile(config, `${clients.join('\n')}\n`);
  await writeFile(join(bin, 'ssh'), `#!/bin/sh\nexec ${(await find('ssh')) ?? ''} -F '${config}' "$@"\n`);
  await chmod(join(bin, 'ssh'), 0o755);

  let server: ChildProcess | undefined;
  // Root’s server separates its privileges in a folder that systems make when they start.
  if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true });
  const start = async () => {
    const child = spawn((await find('sshd')) ?? '', ['-D', '-e', '-f', join(folder, 'sshd_config')], {
      // A group of its own, so that its connections end with it.
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    server = child;
    await new Promise<void>((resolve, reject) => {
      let said = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        if (said.includes('Server listening')) resolve();
      });
      child.on('exit', () => {
        server = undefined;
        reject(new Error(`sshd ended: ${said}`));
      });
    });
  };
  const stop = async () => {
    const { pid } = server ?? {};
    if (pid === undefined) return;
    const ended = new Promise((resolve) => server?.once('exit', resolve));
    // Each connection is a process in a session of its own.
    const { stdout } = await run('ps', ['-e', '-o', 'pid=,ppid=,comm=']);
    const rows = stdout
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/u));
    const below = (parent: string): string[] =>
      rows
        .filter(([, from, name]) => from === parent && name?.startsWith('sshd'))
        .flatMap(([own = '']) => [own, ...below(own)]);
    for (const each of [...below(String(pid)), String(pid)]) kill(Number(each));
    await ended;
    server = undefined;
  };
  // First: what does not come up ends too.
  t.after(async () => {
    await stop();
    await endPrograms(home);
  });
  await start();
  return { home, slow, quirks, config, env: { PATH: [bin, process.env['PATH'] ?? ''].join(delimiter) }, start, stop };
}

/** Ends what runs from a home folder: a run that a failed test leaves behind may be paused for ever. */
async function endPrograms(home: string): Promise<void> {
  const { stdout } = await run('ps', ['-e', '-ww', '-o', 'pid=,args=']);
  for (const line of stdout.split('\n').filter((each) => each.includes(`${home}/`))) {
    kill(Number(line.trim().split(/\s/u)[0]));
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It may have ended by itself since it was listed.
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}
