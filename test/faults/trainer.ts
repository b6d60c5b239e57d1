import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readCheckpoint, readResumePoint } from '../../src/ml/weights/checkpoint.ts';
import type { StateDict } from '../../src/ml/graph/tensor.ts';
import type { TrainingEvent } from '../../src/protocol/trainingEvents.ts';
import { listRunCheckpoints } from '../../src/runs/checkpointFiles.ts';
import { allEvents } from '../unit/runs/allEvents.ts';

/** The built command, which starts in half a second: `npm run build` makes it. */
export const command = join(import.meta.dirname, '../../dist/ml/fivecrop.mjs');
const preload = (name: string) => ['--import', pathToFileURL(join(import.meta.dirname, name)).href];

/** A small run: 15 steps, 7 validations, a checkpoint an epoch; a second or two. */
const small =
  '--arch ConvNet1 --method scratch --hidden 4 --image-size 32 --resize 36 --augment none --epochs 3 --batch-size 5 --validate-every 3 --keep-epochs --lr 0.003 --device cpu --engine onnx';

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Fault {
  /** Folder in which operations count. */
  readonly folder: string;
  /** Number of the operation, from 1; none has them listed in the file `list`. */
  readonly at?: number;
  /** `kill`, `torn`, or a code such as `ENOSPC`. */
  readonly kind?: string;
  readonly list?: string;
}

/** Runs `fivecrop`, with a fault where one is given, and as slowly as the file `hold` says. `begun` is called with the process. */
export function fivecrop(
  args: readonly string[],
  options: { cwd?: string; fault?: Fault; hold?: string; begun?: (child: ReturnType<typeof spawn>) => void } = {},
): Promise<Ended> {
  if (!existsSync(command)) throw new Error('The command is not built: npm run build.');
  const { cwd, fault, hold } = options;
  const environment = {
    ...process.env,
    NODE_OPTIONS: '',
    FIVECROP_DEBUG: '',
    ...(hold !== undefined && { FIVECROP_SLOW: hold }),
    ...(fault && { FIVECROP_FAULT_FOLDER: fault.folder }),
    ...(fault?.at !== undefined && { FIVECROP_FAULT_AT: String(fault.at) }),
    ...(fault?.kind !== undefined && { FIVECROP_FAULT_KIND: fault.kind }),
    ...(fault?.list !== undefined && { FIVECROP_FAULT_LIST: fault.list }),
  };
  const preloaded = [...(fault ? preload('failAt.mjs') : []), ...(hold === undefined ? [] : preload('slowSteps.mjs'))];
  const child = spawn(process.execPath, [...preloaded, command, ...args], {
    ...(cwd === undefined ? {} : { cwd }),
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  options.begun?.(child);
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

/** The arguments of a small run named `run` in `out`. */
export function smallRun(data: string, out: string, ...more: readonly string[]): string[] {
  return ['train', data, ...small.split(' '), '--out', out, '--name', 'run', '--json', ...more];
}

/** A new temporary folder; whoever asks for it removes it. */
export function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'fivecrop-faults-'));
}

/** All of a run that has to be the same however often it was broken off: its curve, its checkpoints, and the names of its files. */
export async function resultOf(folder: string) {
  const checkpoints = await listRunCheckpoints(folder);
  const read = checkpoints.map(async ({ path, name }) => {
    const { state, metadata } = await readCheckpoint(path);
    const { optimizer, resume } = await readResumePoint(path);
    const facts = { ...metadata, created: '', resume: '' };
    return [name, { facts, resume, tensors: digest(state), optimizer: digest(optimizer) }];
  });
  const files = (await readdir(folder, { recursive: true })).map((file) => file.replace(/-[0-9a-f]{8}\./u, '.'));
  return { curve: curveOf(await allEvents(folder)), checkpoints: await Promise.all(read), files: files.sort() };
}

/** Steps and validations by step, without what time says; a later start takes back what lies after it. */
function curveOf(events: readonly TrainingEvent[]): string[] {
  const curve = new Map<string, string>();
  for (const event of events) {
    if (event.event === 'start') {
      for (const [key, line] of curve) if ((JSON.parse(line) as { step: number }).step > event.step) curve.delete(key);
    }
    if (event.event !== 'step' && event.event !== 'validation') continue;
    const key = `${event.event} ${event.step}`;
    if (curve.has(key)) throw new Error(`${key} is there twice`);
    const common = { event: event.event, step: event.step, epoch: event.epoch };
    const figures =
      event.event === 'step'
        ? [event.loss, event.learningRate]
        : [event.trainLoss, event.validLoss, event.validAccuracy, event.validTop5];
    curve.set(key, JSON.stringify({ ...common, figures }));
  }
  return [...curve.values()];
}

function digest(state: StateDict): string {
  const hash = createHash('sha256');
  for (const [name, { dtype, shape, data }] of state) {
    hash.update(JSON.stringify([name, dtype, shape]));
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}

/** The operations of an unbroken run in `out`, in order, and its result. */
export async function unbroken(data: string, folder: string) {
  const out = join(folder, 'unbroken');
  const list = join(folder, 'operations');
  const { code, stderr } = await fivecrop(smallRun(data, out), { fault: { folder: out, list } });
  if (code !== 0) throw new Error(stderr);
  return { operations: (await readFile(list, 'utf8')).split('\n'), result: await resultOf(join(out, 'run')) };
}
