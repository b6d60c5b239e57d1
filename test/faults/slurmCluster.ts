import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createWriteStream, existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePorts } from '../integration/submit/freePorts.ts';

const run = promisify(execFile);

const programs = ['/usr/sbin/slurmctld', '/usr/sbin/slurmd', '/usr/sbin/munged', '/usr/bin/sbatch'];

/** Why there can be no cluster of Slurm here; undefined where there can. */
export function slurmIsMissing(): string | undefined {
  const missing = programs.filter((program) => !existsSync(program));
  return missing.length > 0 ? `there is no ${missing.join(', ')}` : undefined;
}

/** A cluster of Slurm on this machine alone: its nodes are daemons here. */
export interface SlurmCluster {
  /** What its commands need to know of it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Runs a command of Slurm, and resolves with what it prints. */
  readonly command: (name: string, ...args: readonly string[]) => Promise<string>;
  readonly startNode: (name: string) => void;
  /** Ends a node as a power cut does: its daemon and all processes of its jobs. */
  readonly cutNode: (name: string) => Promise<void>;
  /** What the daemons have logged. */
  readonly logs: () => Promise<string>;
  readonly end: () => Promise<void>;
}

/** Starts a controller, nodes and an authentication daemon of their own in `folder`, and waits until all nodes are there. */
export async function startCluster(folder: string, nodes: readonly string[]): Promise<SlurmCluster> {
  const { username } = userInfo();
  const at = (name: string) => join(folder, name);
  const [controllerPort, ...nodePorts] = await freePorts(nodes.length + 1);
  const socket = at('munge.socket');
  await mkdir(at('state'), { recursive: true });
  await writeFile(at('munge.key'), randomBytes(128), { mode: 0o400 });
  const conf = at('slurm.conf');
  const lines = [
    'ClusterName=test',
    'SlurmctldHost=localhost(127.0.0.1)',
    `SlurmctldPort=${controllerPort}`,
    `SlurmUser=${username}`,
    `SlurmdUser=${username}`,
    // A job that was put back waits for as long as credentials hold.
    `AuthInfo=socket=${socket},cred_expire=5`,
    `StateSaveLocation=${at('state')}`,
    `SlurmdSpoolDir=${at('spool-%n')}`,
    `SlurmctldPidFile=${at('slurmctld.pid')}`,
    `SlurmdPidFile=${at('slurmd-%n.pid')}`,
    'ProctrackType=proctrack/linuxproc',
    'TaskPlugin=task/none',
    'SelectType=select/cons_tres',
    'SelectTypeParameters=CR_CPU',
    'MpiDefault=none',
    'SwitchType=switch/none',
    'ReturnToService=2',
    'SlurmdTimeout=20',
    // On a busy machine an answer takes its time.
    'MessageTimeout=60',
    'KillWait=5',
    'SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0,sched_min_interval=0',
    // This machine may have fewer cores than its nodes together.
    'SlurmdParameters=config_overrides',
    ...nodes.map(
      (name, index) => `NodeName=${name} NodeHostname=localhost NodeAddr=127.0.0.1 Port=${nodePorts[index]} CPUs=8`,
    ),
    // The first is used where nobody names one.
    ...nodes.map((name, index) => `PartitionName=${name} Nodes=${name} Default=${index === 0 ? 'YES' : 'NO'}`),
  ];
  await writeFile(conf, `${lines.join('\n')}\n`);
  const environment = { SLURM_CONF: conf };
  const daemons = new Map<string, ChildProcess>();
  const start = (name: string, program: string, ...args: readonly string[]) => {
    const child = spawn(program, args, {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    daemons.set(name, child);
    const log = createWriteStream(at(`${name}.log`), { flags: 'a' });
    for (const stream of [child.stdout, child.stderr]) stream.pipe(log, { end: false });
    child.on('error', (error) => log.write(`${error.message}\n`));
  };
  const command = async (name: string, ...args: readonly string[]) =>
    (await run(name, [...args], { env: { ...process.env, ...environment } })).stdout;
  const startNode = (name: string) => start(name, '/usr/sbin/slurmd', '-D', '-N', name, '-f', conf);
  const jobsHere = () => pidsOfJobs(conf);
  const end = async () => {
    await command('scancel', '--me').catch(() => undefined);
    await Promise.all([...daemons.values()].map(kill));
    const jobs = jobsHere();
    for (const pid of [...jobs.flatMap(watcherOf), ...jobs]) killPid(pid);
  };
  try {
    const keys = [`--key-file=${at('munge.key')}`, `--socket=${socket}`, `--pid-file=${at('munged.pid')}`];
    const files = [`--log-file=${at('munged.log')}`, `--seed-file=${at('munged.seed')}`];
    start('munge', '/usr/sbin/munged', '--foreground', '--force', ...keys, ...files);
    await until(() => Promise.resolve(existsSync(socket)), 'munged has a socket');
    start('slurmctld', '/usr/sbin/slurmctld', '-D', '-f', conf);
    for (const name of nodes) startNode(name);
    await until(async () => {
      const states = await command('sinfo', '--noheader', '--Node', '--format=%T').catch(() => '');
      return states.split('\n').filter((state) => state.trim() === 'idle').length === nodes.length;
    }, 'all nodes are idle');
  } catch (error) {
    await end();
    throw error;
  }
  return {
    environment,
    command,
    startNode,
    cutNode: async (name) => {
      const daemon = daemons.get(name);
      if (daemon) await kill(daemon);
      const jobs = pidsOfJobs(conf, name);
      // What watches over a job would say how it ended.
      for (const pid of [...jobs.flatMap(watcherOf), ...jobs]) killPid(pid);
    },
    logs: async () => {
      const names = (await readdir(folder)).filter((name) => name.endsWith('.log'));
      return (await Promise.all(names.map((name) => readFile(at(name), 'utf8')))).join('\n');
    },
    end,
  };
}

/** Ends a daemon at once, and waits until it has ended. */
async function kill(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

function killPid(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** The processes of the jobs of a cluster, those that watch over them included; of one node alone if it is named. */
function pidsOfJobs(conf: string, node?: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/u.test(name) || Number(name) === process.pid) return [];
    try {
      const environment = readFileSync(join('/proc', name, 'environ'), 'utf8').split('\0');
      const isOurs = environment.includes(`SLURM_CONF=${conf}`);
      const isJob = environment.some((entry) => entry.startsWith('SLURM_JOB_ID='));
      const isThere = node === undefined || environment.includes(`SLURMD_NODENAME=${node}`);
      return isOurs && isJob && isThere ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

/** The process of Slurm that started a process of a job, if it still watches. */
function watcherOf(pid: number): number[] {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const parent = Number(/^PPid:\s*(?<parent>\d+)$/mu.exec(status)?.groups?.['parent']);
    return parent > 1 && readFileSync(`/proc/${parent}/cmdline`, 'utf8').startsWith('slurmstepd') ? [parent] : [];
  } catch {
    // It has ended by itself.
    return [];
  }
}

/** Waits until something is so; throws after ten minutes. */
export async function until(isSo: () => Promise<boolean>, what: string): Promise<void> {
  const end = Date.now() + 600_000;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`ten minutes went by before ${what}`);
    await delay(100);
  }
}
