import { spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { type Package, packages, type Sample, type Side } from './benchCase.ts';

/** Settings of this environment that make OpenBLAS, and so the peer, slower than it is by itself. */
export const unsetForPeer = ['OPENBLAS_CORETYPE', 'OPENBLAS_L2_SIZE'] as const;

/** A Python that has torch and torchvision. */
export interface Python {
  readonly command: string;
  /** The version of its torch: `2.15.0`. */
  readonly torch: string;
  readonly packages: readonly Package[];
}

/** The Pythons that `PYTHON` names, as `PATH` names folders; Debian's if it is not set. */
const commands = (process.env['PYTHON'] ?? '/usr/bin/python3').split(delimiter);

/** Whether a side is one of torch's, which a machine may lack. */
export function needsPython({ script }: Side): boolean {
  return script.endsWith('.py');
}

/** Whether a Python can run a side. */
export function canRun(python: Python, { needs }: Side): boolean {
  if (needs === undefined) return true;
  return needs === 'torch 2' ? Number.parseInt(python.torch, 10) >= 2 : python.packages.includes(needs);
}

/**
 * Runs one side in a process of its own and returns what it measured. Throws with its output if it fails, or takes longer
 * than `milliseconds`: it is ended then.
 */
export async function runSide(side: Side, python = commands[0] ?? '', milliseconds?: number): Promise<Sample> {
  const { script, args } = side;
  const file = join(import.meta.dirname, script);
  const isPython = needsPython(side);
  const command = isPython ? python : process.execPath;
  const words = [...(isPython ? [] : ['--import', 'tsx']), file, ...args.map(String)];
  const output = await outputOf(command, words, isPython ? peerEnvironment() : process.env, milliseconds);
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as Sample;
}

/** Those of the Pythons that `PYTHON` names that have torch and torchvision. */
export async function findPythons(): Promise<Python[]> {
  const found = await Promise.all(
    commands.map(async (command) => {
      try {
        const listed = `[name for name in "${packages.join(' ')}".split() if importlib.util.find_spec(name)]`;
        const script = `import importlib.util, torch, torchvision; print(torch.__version__, *${listed})`;
        const [torch = '', ...others] = (await outputOf(command, ['-c', script], peerEnvironment())).trim().split(' ');
        const own = packages.filter((name) => others.includes(name));
        return [{ command, torch: torch.replace(/\+.*$/u, ''), packages: own }];
      } catch {
        return [];
      }
    }),
  );
  return found.flat();
}

function peerEnvironment(): NodeJS.ProcessEnv {
  const withheld = new Set<string>(unsetForPeer);
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !withheld.has(name)));
}

function outputOf(command: string, args: readonly string[], env: NodeJS.ProcessEnv, timeout?: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout, killSignal: 'SIGKILL' });
    const began = performance.now();
    const [out, err]: [string[], string[]] = [[], []];
    child.stdout.setEncoding('utf8').on('data', (text: string) => out.push(text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => err.push(text));
    child.on('error', reject);
    child.on('close', (code) => {
      const isLate = timeout !== undefined && performance.now() - began >= timeout;
      if (code === 0) resolve(out.join(''));
      else if (isLate) reject(new Error(`it did not end within ${(timeout / 1000).toFixed(0)} s`));
      else reject(new Error(`${[command, ...args].join(' ')} ended with ${code ?? 'a signal'}:\n${err.join('')}`));
    });
  });
}
