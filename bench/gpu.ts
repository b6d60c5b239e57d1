import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { installCuda, lookForCuda } from '../src/ml/install/installCuda.ts';
import { trustedDifference } from '../src/ml/engine/selfCheck.ts';
import { messageOf } from '../src/protocol/errors.ts';
import type { FigureSpec, Sample, Side } from './benchCase.ts';
import { hostMachine, ownVersions } from './machine.ts';
import { type BenchResult, figureResult } from './result.ts';
import { runSide } from './sides.ts';
import { machineFolder, rowOf, tableHeader } from './table.ts';

/*
 * Compares a training step on the graphics card with the CPU's, then times training and prediction, in turns with torch
 * where the Python that PYTHON names has it with CUDA, prints a table and writes bench/results/CARD/graphicsCard.json. It
 * takes at most eight minutes: what has not begun after seven is left out, which is said, and ends it with 1, and a process
 * that hangs is ended. What was measured so far, and what ran each operator of a step, lies in --into (test-results/gpu) at
 * any time.
 * --accept-licenses installs CUDA's libraries first, and accepts their licenses: from the folder of their archives that
 * FIVECROP_MIRROR names, or from the network.
 * --software takes a Vulkan device in software and tiny sizes instead, to see that all of this works; its times mean
 * nothing, and it writes no results.
 */
const { values } = parseArgs({
  options: {
    device: { type: 'string' },
    software: { type: 'boolean', default: false },
    into: { type: 'string', default: 'test-results/gpu' },
    'accept-licenses': { type: 'boolean', default: false },
  },
});
const into = resolve(values.into);
const began = performance.now();
/** When nothing begins any more, in milliseconds. */
const lastBegin = 7 * 60_000;
const isLate = () => performance.now() - began > lastBegin;
/** When everything is ended, and how long one process may take, in milliseconds. */
const end = 8 * 60_000;
const longest = 3 * 60_000;
const run = (side: Side) => runSide(side, undefined, Math.max(1, Math.min(longest, began + end - performance.now())));
const { software } = values;
const rounds = software ? 1 : 3;
const devices = values.device ? [values.device] : software ? ['webgpu'] : ['cuda', 'webgpu', 'dml', 'coreml'];

/** One kind of work of `ours/deviceWork.ts` and `peers/deviceWork.py`. */
interface Work {
  readonly title: string;
  readonly kind: 'full' | 'head' | 'five';
  readonly architecture: string;
  readonly batch: number;
  readonly steps: number;
  readonly size: number;
}

const tiny = { architecture: 'ConvNet1', batch: 2, steps: 1, size: 32 };
const works: readonly Work[] = software
  ? [
      { title: 'ConvNet1, full training step, batch 2, 32 pixels', kind: 'full', ...tiny },
      { title: 'ConvNet1, head only, batch 2, 32 pixels', kind: 'head', ...tiny },
      { title: 'ConvNet1, five crops of an image, 32 pixels', kind: 'five', ...tiny, batch: 5 },
    ]
  : [
      work('ResNet-18, full training step, batch 64', 'full', 'resnet18', 64, 30),
      work('DenseNet-169, full training step, batch 32', 'full', 'densenet169', 32, 30),
      work('DenseNet-169, head only, batch 64', 'head', 'densenet169', 64),
      work('ResNet-18, five crops of 8 images', 'five', 'resnet18', 40),
    ];

function work(title: string, kind: Work['kind'], architecture: string, batch: number, steps = 10): Work {
  return { title, kind, architecture, batch, steps, size: 224 };
}

/** What is timed of ours, beside torch's figures of one of the works. */
interface OwnWork extends Omit<Work, 'kind'> {
  readonly kind: Work['kind'] | 'replayed';
  /** Its place among them. */
  readonly beside: number;
}

/** On WebGPU a step of everything is timed as its operators are run one by one and as it is replayed. */
function ownWorks(device: string): readonly OwnWork[] {
  return works.flatMap((each, beside): OwnWork[] => {
    const own = { ...each, beside };
    if (device !== 'webgpu' || each.kind !== 'full') return [own];
    return [own, { ...own, kind: 'replayed', title: `${each.title}, recorded and replayed` }];
  });
}

const ours = ({ kind, architecture, batch, steps, size }: OwnWork, device: string) =>
  run({ script: 'ours/deviceWork.ts', args: [kind, architecture, batch, steps, device, size] });

interface Found {
  readonly device: string;
  readonly difference: number;
  readonly lossDifference: number;
}

/** The first device that trains as the CPU does; says why those before it do not. */
async function findDevice(): Promise<Found | undefined> {
  for (const device of devices) {
    const args = ['check', 'resnet18', 8, 5, device, works[0]?.size ?? 0];
    try {
      const { figures } = await run({ script: 'ours/deviceWork.ts', args });
      const { difference = Number.NaN, lossDifference = Number.NaN } = figures;
      if (difference < trustedDifference && lossDifference < trustedDifference)
        return { device, difference, lossDifference };
      console.log(`${device} is not used: its gradients are ${difference} off, its losses ${lossDifference}.`);
    } catch (error) {
      console.log(`${device} is not used: ${reasonIn(error)}`);
    }
  }
  return undefined;
}

/** The line of a failed process's output that names its error. */
function reasonIn(error: unknown): string {
  const lines = messageOf(error).trim().split('\n');
  return lines.slice(1).find((line) => line.includes('Error: ')) ?? lines.at(-1) ?? '';
}

/** torch's samples of all works, by work and mode; undefined where it has no CUDA. */
async function torch(): Promise<Sample | undefined> {
  const list = works.map(({ kind, architecture, batch, steps, size }) => [kind, architecture, batch, steps, size]);
  try {
    return await run({ script: 'peers/deviceWork.py', args: [JSON.stringify(list)] });
  } catch (error) {
    console.log(`torch with CUDA was not found (PYTHON names another Python): ${reasonIn(error)}`);
    return undefined;
  }
}

const speedOf = (sample: Sample | undefined, key: string): Sample[] => {
  const speed = sample?.figures[key];
  return speed === undefined ? [] : [{ figures: { speed } }];
};

/** Our images a second of one work; undefined where the device fails, which is said. */
async function speedOfOurs(each: OwnWork, device: string): Promise<Sample | undefined> {
  try {
    return { figures: { speed: (await ours(each, device)).figures['images'] ?? Number.NaN } };
  } catch (error) {
    console.log(`${each.title} failed on ${device}: ${reasonIn(error)}`);
    return undefined;
  }
}

/** Writes what there is so far, for whoever looks when the rest fails. */
function keep(name: string, content: object): void {
  mkdirSync(into, { recursive: true });
  writeFileSync(join(into, name), JSON.stringify(content, null, 2));
}

/** Installs CUDA's libraries where that was asked for. Whether it did not fail, which is said. */
async function install(): Promise<boolean> {
  if (!values['accept-licenses']) return true;
  try {
    const found = await lookForCuda();
    if (found.state === 'impossible') throw new Error(found.reason);
    const start = performance.now();
    await installCuda();
    console.log(`CUDA’s libraries were installed in ${((performance.now() - start) / 1000).toFixed(0)} s.`);
    return true;
  } catch (error) {
    console.log(`CUDA’s libraries were not installed: ${messageOf(error)}`);
    return false;
  }
}

/** Says which operators of the full steps the CPU ran; false if there were some, or a step failed. */
async function place(device: string): Promise<boolean> {
  let isGood = true;
  for (const { title, kind, architecture, batch, steps, size } of works) {
    if (kind !== 'full') continue;
    try {
      mkdirSync(into, { recursive: true });
      const file = join(into, `${architecture}.profile.json`);
      const args = ['placement', architecture, batch, steps, device, size, file];
      const { figures } = await run({ script: 'ours/deviceWork.ts', args });
      const { operators = 0, onCpu = Number.NaN } = figures;
      console.log(`${title}: ${onCpu} of ${operators} operators on the CPU (${file})`);
      isGood &&= onCpu === 0;
    } catch (error) {
      console.log(`${title} could not be watched on ${device}: ${reasonIn(error)}`);
      isGood = false;
    }
  }
  return isGood;
}

async function measure(device: string): Promise<BenchResult> {
  const timed = ownWorks(device);
  const own = timed.map((): Sample[] => []);
  const theirs: Sample[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const [index, each] of timed.entries()) {
      // What failed once is not tried again, as torch is not where it is not found.
      const sample = own[index]?.length === round && !isLate() ? await speedOfOurs(each, device) : undefined;
      if (sample) own[index]?.push(sample);
      keep('samples.json', { device, works: timed, own, theirs });
    }
    const sample = software || theirs.length < round || isLate() ? undefined : await torch();
    if (sample) theirs.push(sample);
    keep('samples.json', { device, works: timed, own, theirs });
  }
  if (isLate()) console.log('It took more than seven minutes, so some rounds were left out.');
  const figures = timed.flatMap(({ title, beside }, index) => {
    if (own[index]?.length !== rounds) return [];
    const figure: FigureSpec = { key: 'speed', title: `${title}, on ${device}`, unit: 'images/s', better: 'more' };
    const modes = theirs.length === rounds ? ['eager', 'bf16'] : [];
    const peers = Object.fromEntries(
      modes.map((mode) => [mode, theirs.flatMap((sample) => speedOf(sample, `${beside} ${mode}`))]),
    );
    return [figureResult(figure, { ours: own[index], peers }, { productRate: [] })];
  });
  const { card, ...versions }: Readonly<Record<string, string>> = { ...theirs[0]?.versions };
  return {
    name: 'graphicsCard',
    how: 'node bench/gpu.mjs: the median of ten steps, of thirty where all of a network trains, after two of warming up, on random pixels that come from memory; 102 classes. torch with its own defaults (convolutions in TF32), and with bf16 autocast and channels_last.',
    measured: new Date().toISOString(),
    machine: { ...hostMachine(), ...(card === undefined ? {} : { card }), productRate: [] },
    versions: { ours: ownVersions(), peer: versions },
    unsetForPeer: [],
    rounds,
    figures,
  };
}

if (software) {
  const { softwareVulkan } = await import('../scripts/host/browser.ts');
  Object.assign(process.env, await softwareVulkan());
}
const isInstalled = await install();
const found = await findDevice();
if (!found) {
  console.log(
    `No graphics card trains here (tried: ${devices.join(', ')}), so nothing is timed; \`fivecrop devices\` says what is missing.`,
  );
  process.exit(values.device === undefined && isInstalled ? 0 : 1);
}
const { device, difference, lossDifference } = found;
console.log(
  `${device} trains as the CPU does: gradients off by ${difference.toExponential(1)}, losses by ${lossDifference.toExponential(1)}.`,
);
const isPlaced = await place(device);
const result = await measure(device);
console.log(['', ...tableHeader, ...result.figures.map(rowOf)].join('\n'));
if (!isInstalled || !isPlaced) process.exitCode = 1;
// A result without its ratio would take the place of one that has it.
if (result.figures.length < ownWorks(device).length) process.exitCode = 1;
else if (result.figures.every(({ ratio }) => ratio !== undefined)) {
  const folder = join(import.meta.dirname, 'results', machineFolder(result.machine));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${result.name}.json`), `${JSON.stringify(result, null, 2)}\n`);
}
