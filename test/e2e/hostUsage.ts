import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** The kernel's unit of a process's time, which is a hundredth of a second on every common Linux. */
const ticksPerSecond = 100;

/** What the extension host of a server takes of a processor over some seconds, and its memory, as a sentence. */
export async function hostUsage(server: number, seconds: number): Promise<string> {
  const host = await extensionHost(server);
  const before = await processorSeconds(host);
  await delay(seconds * 1000);
  const share = ((await processorSeconds(host)) - before) / seconds;
  return `${(share * 100).toFixed(1)} % of a processor, ${await megabytesOf(host, 'VmRSS')} MB`;
}

/** The process of the extension host of a server, and its memory in MB, now and at most so far. */
export async function hostMemory(server: number): Promise<{ pid: number; now: number; most: number }> {
  const pid = await extensionHost(server);
  return { pid, now: await megabytesOf(pid, 'VmRSS'), most: await megabytesOf(pid, 'VmHWM') };
}

async function megabytesOf(pid: number, line: string): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(new RegExp(`${line}:\\s+(\\d+)`).exec(status)?.[1]) / 1024);
}

/** The newest extension host in the server's process group: one of an earlier window may live a while longer. */
async function extensionHost(server: number): Promise<number> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const hosts = [];
  for (const pid of pids) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (!command.includes('--type=extensionHost')) continue;
    const [group = '', started = ''] = await statFields(pid, [5, 22]);
    if (Number(group) === server) hosts.push({ pid, started: Number(started) });
  }
  const newest = hosts.sort((a, b) => b.started - a.started)[0];
  if (newest === undefined) throw new Error('the server has no extension host');
  return newest.pid;
}

async function processorSeconds(pid: number): Promise<number> {
  const [user = '', system = ''] = await statFields(pid, [14, 15]);
  return (Number(user) + Number(system)) / ticksPerSecond;
}

/** Fields of /proc/PID/stat by their number in proc(5); the second, a name in brackets, may hold spaces. */
async function statFields(pid: number, numbers: readonly number[]): Promise<string[]> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return numbers.map((number) => fields[number - 3] ?? '');
}
