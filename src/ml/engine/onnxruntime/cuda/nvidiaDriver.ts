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
  if (!cudaFilesFor(process.platform, process.arch)) {
    return { usable: false, reason: onlyPlatforms };
  }
  for (const program of programs) {
    try {
      return readCards(await answerOf(program, question, patienceMilliseconds));
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
