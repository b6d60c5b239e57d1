import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname, uptime } from 'node:os';
import process from 'node:process';
import { codeOf } from '../protocol/errors.ts';
import type { RunRecord } from '../protocol/runRecord.ts';

/** The process that a record or a lock names. */
export type Owner = NonNullable<RunRecord['process']>;

/** `here`: it runs on this machine. `gone`: it has ended. `elsewhere`: its number means nothing here. */
export type OwnerState = 'here' | 'gone' | 'elsewhere';

/** Milliseconds by which clocks may differ where nothing better is known. */
const tolerance = 60_000;
/** The unit in which Linux counts since the machine started, for programs: a hundredth of a second. */
const tickMilliseconds = 10;

let own: Owner | undefined;

/** How this process is named in records and locks. */
export function thisProcess(): Owner {
  own ??= {
    pid: process.pid,
    started: new Date(performance.timeOrigin).toISOString(),
    host: hostname(),
    ...scopeHere(),
    ...bornAs(process.pid),
  };
  return own;
}

/**
 * How this process is named in the record of a run. The first process of a container has the number 1, which no record may
 * name: it goes without, and its signs of life in the folder tell of it.
 */
export function recordedProcess(): Owner | undefined {
  const here = thisProcess();
  return here.pid === 1 ? undefined : here;
}

/** Whether the number of a process means nothing here, such as that of another machine. Looks at no process. */
export function isElsewhere({ scope, host }: Owner): boolean {
  const [boot, space] = scope?.split('/') ?? [];
  const here = thisProcess();
  const [ownBoot, ownSpace] = here.scope?.split('/') ?? [];
  const sameBoot = boot !== undefined && boot === ownBoot;
  return sameBoot ? space !== ownSpace : host !== undefined && host !== here.host;
}

/** Whether a process is still there. */
export function ownerState(owner: Owner): OwnerState {
  if (isElsewhere(owner)) return 'elsewhere';
  const [boot] = owner.scope?.split('/') ?? [];
  const [ownBoot] = thisProcess().scope?.split('/') ?? [];
  // The machine has been started anew since.
  if (boot !== undefined && ownBoot !== undefined && boot !== ownBoot) return 'gone';
  return isSameProcess(owner) === false ? 'gone' : 'here';
}

/** Whether it is certain that the process of this number is the one that was meant, so that it may be signalled. */
export function isVerified(owner: Owner): boolean {
  return ownerState(owner) === 'here' && isSameProcess(owner) === true;
}

/** Undefined where there is a process of this number, and nothing tells whether it is the one. */
function isSameProcess({ pid, started, birth }: Owner): boolean | undefined {
  if (!processExists(pid)) return false;
  const now = birthOf(pid);
  if (now === 'gone') return false;
  if (birth !== undefined && now !== undefined) return birth === now;
  // Written by an earlier version: at least the process has to have been there at that time.
  const processStarted = startOf(now) ?? Date.now() - uptime() * 1000;
  return processStarted > Date.parse(started) + tolerance ? false : undefined;
}

/** Whether there is a process of this number on this machine, whoever’s it is. */
export function processExists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/** What tells a process from a later one of the same number; undefined where this system does not say. */
export function birthOf(pid: number): string | undefined {
  if (process.platform === 'linux') return birthOnLinux(pid);
  return process.platform === 'darwin' ? birthOnMac(pid) : undefined;
}

/** Ticks from the start of the machine; `gone` for a process that has ended, though nobody has buried it yet. */
function birthOnLinux(pid: number): string | undefined {
  let status: string;
  try {
    status = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The name in brackets may hold spaces and brackets. The state is the 3rd field, the start the 22nd.
  const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? 'gone' : fields[22 - 3];
}

function birthOnMac(pid: number): string | undefined {
  try {
    const environment = { ...process.env, LC_ALL: 'C', TZ: 'UTC' };
    const told = execFileSync('/bin/ps', ['-o', 'lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      env: environment,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return told.trim() || undefined;
  } catch {
    return undefined;
  }
}

function startOf(birth: string | undefined): number | undefined {
  if (process.platform !== 'linux' || birth === undefined) return undefined;
  return Date.now() - uptime() * 1000 + Number(birth) * tickMilliseconds;
}

function bornAs(pid: number): Pick<Owner, 'birth'> {
  const birth = birthOf(pid);
  return birth === undefined ? {} : { birth };
}

/** Within what the number of a process means something: this start of this machine, and on Linux the container. */
function scopeHere(): Pick<Owner, 'scope'> {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    return { scope: `${boot}/${readlinkSync('/proc/self/ns/pid').replace(/\D/gu, '')}` };
  } catch {
    return {};
  }
}
