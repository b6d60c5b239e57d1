import { join } from 'node:path';
import { answerOf } from './answerOf.ts';
import { codeOf, messageOf } from '../../../../protocol/errors.ts';
import { cudaFilesFor, leastCapability, leastDriver, onlyPlatforms } from './cudaFiles.ts';

/** The NVIDIA cards and the driver of this machine, or why CUDA cannot be used with them and what to do, without a full stop. */
export type NvidiaDriver =
  { readonly usable: true; readonly cards: string } | { readonly usable: false; readonly reason: string };

/**
 * NVIDIA's driver brings this program; in Windows' subsystem for Linux it is not on the path. Windows itself would look for
 * a bare name in the current folder first, which may hold a stranger's files.
 */
const programs =
  process.platform === 'win32'
    ? [join(process.env['SystemRoot'] ?? 'C:\\Windows', 'System32', 'nvidia-smi.exe')]
    : ['nvidia-smi', '/usr/lib/wsl/lib/nvidia-smi'];
const question = ['--query-gpu=name,driver_version,compute_cap', '--format=csv,noheader'];
/** A driver that wakes its cards takes some seconds to answer. */
const patienceMilliseconds = 30_000;

const newEnough = `NVIDIA’s driver ${leastDriver} or newer`;

/** Asks NVIDIA's driver for its cards. Never rejects. */
export async function nvidiaDriver(): Promise<NvidiaDriver> {
  const answer = await askDriver(question);
  return 'lines' in answer ? readCards(answer.lines) : answer;
}

/** A card by its number in NVIDIA's driver, and by the name that CUDA knows it by wherever it is in a machine. */
export interface NvidiaCard {
  readonly number: number;
  readonly uuid: string;
  /** Of its kind: `NVIDIA H200`. */
  readonly name: string;
  readonly driver: string;
}

/** All cards of this machine in the order of the driver, or why there are none. Never rejects. */
export async function nvidiaCards(): Promise<readonly NvidiaCard[] | { readonly reason: string }> {
  const answer = await askDriver(['--query-gpu=index,uuid,name,driver_version', '--format=csv,noheader']);
  if (!('lines' in answer)) return answer;
  const cards = readNamedCards(answer.lines);
  return cards.length > 0 ? cards : { reason: 'NVIDIA’s driver names no card' };
}

/** Lines such as `0, GPU-5a1b2c3d-0000-1111-2222-333344445555, NVIDIA H200, 580.95.05`, one per card. */
export function readNamedCards(lines: string): readonly NvidiaCard[] {
  return lines.split('\n').flatMap((line) => {
    const [, number, uuid = '', name = '', driver = ''] =
      /^(\d+), (GPU-[0-9a-f-]+), (.+), (\d+(?:\.\d+)*)\s*$/u.exec(line) ?? [];
    return number === undefined ? [] : [{ number: Number(number), uuid, name, driver }];
  });
}

/**
 * The card that CUDA takes where none is named, if that is certain; `visible` is `CUDA_VISIBLE_DEVICES`. CUDA counts different
 * cards in an order of its own.
 */
export function firstCard(
  cards: readonly NvidiaCard[] | { readonly reason: string },
  visible: string | undefined,
): NvidiaCard | undefined {
  if ('reason' in cards) return undefined;
  const [named = ''] = (visible ?? '').split(',').map((entry) => entry.trim());
  // CUDA takes the beginning of a name, too.
  if (named.startsWith('GPU-')) return cards.find(({ uuid }) => uuid.startsWith(named));
  const [first] = cards;
  return cards.every(({ name }) => name === first?.name) ? first : undefined;
}

/** What NVIDIA's driver answers, or why it does not. */
async function askDriver(
  args: readonly string[],
): Promise<{ readonly lines: string } | { readonly usable: false; readonly reason: string }> {
  if (!cudaFilesFor(process.platform, process.arch)) {
    return { usable: false, reason: onlyPlatforms };
  }
  for (const program of programs) {
    try {
      return { lines: await answerOf(program, args, patienceMilliseconds) };
    } catch (error) {
      if (codeOf(error) === 'ENOENT') continue;
      const lines = [error instanceof Error && 'stdout' in error ? String(error.stdout) : '', messageOf(error)];
      const said = lines.map((line) => line.trim().split('\n')[0]).find((line) => line !== '');
      return {
        usable: false,
        reason: `NVIDIA’s driver does not answer (${said ?? 'without a message'}); restart the machine, or install ${newEnough}`,
      };
    }
  }
  return {
    usable: false,
    reason: `no NVIDIA driver is on this machine; if it has an NVIDIA card, install ${newEnough} from nvidia.com`,
  };
}

/** Lines such as `NVIDIA GeForce RTX 4090, 580.95.05, 8.9`, one per card. */
export function readCards(lines: string): NvidiaDriver {
  const cards = lines.split('\n').flatMap((line) => {
    const [, name, driver, capability] = /^(.+), (\d+(?:\.\d+)*), (\d+\.\d+)\s*$/u.exec(line) ?? [];
    return name === undefined || driver === undefined ? [] : [{ name, driver, capability: Number(capability) }];
  });
  const [first] = cards;
  if (!first) return { usable: false, reason: `NVIDIA’s driver names no card; install ${newEnough} from nvidia.com` };
  if (Number.parseInt(first.driver) < leastDriver) {
    return { usable: false, reason: `NVIDIA’s driver is ${first.driver}, and CUDA 13 needs ${newEnough}; update it` };
  }
  const supported = cards.filter(({ capability }) => capability >= leastCapability);
  if (supported.length === 0) {
    const { name, capability } = first;
    return {
      usable: false,
      reason: `CUDA 13 supports cards of compute capability ${leastCapability} and newer, and ${name} has ${capability.toFixed(1)}; choose webgpu`,
    };
  }
  return { usable: true, cards: `${supported.map(({ name }) => name).join(', ')}, driver ${first.driver}` };
}
