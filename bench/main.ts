import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileKernels } from '../scripts/compileKernels.mjs';
import { copyJpegLibraries } from '../scripts/jpegLibrary.mjs';
import type { BenchCase, Sample, Side } from './benchCase.ts';
import { hostMachine, ownVersions } from './machine.ts';
import { type BenchResult, figureResult, type Samples } from './result.ts';
import { hasTorch, needsPython, runSide, unsetForPeer } from './sides.ts';
import { machineFolder, rowOf } from './table.ts';

/*
 * `npm run bench` measures every case of bench/cases beside its peer, `npm run bench -- NAME...` only those named, and
 * writes bench/results/MACHINE/NAME.json. The sides take turns, each in a process of its own. The peer is torch and
 * torchvision in the Python that PYTHON names, Debian's python3-torch by default; without them only our side is measured.
 */
const casesFolder = join(import.meta.dirname, 'cases');
const resultsFolder = join(import.meta.dirname, 'results');

async function readCase(name: string): Promise<BenchCase> {
  const { benchCase } = (await import(join(casesFolder, `${name}.ts`))) as { benchCase: BenchCase };
  return benchCase;
}

async function productRate(): Promise<number> {
  const { figures } = await runSide({ script: 'ours/product.ts', args: [] });
  return figures['operationsPerSecond'] ?? Number.NaN;
}

async function takeTurns({ rounds, ours, peers }: BenchCase, withTorch: boolean): Promise<Samples> {
  const others = Object.entries(peers)
    .filter(([, side]) => withTorch || !needsPython(side))
    .map(([name, side]) => ({ name, side, samples: [] as Sample[] }));
  const own: Sample[] = [];
  const measure = async (name: string, side: Side, samples: Sample[]) => {
    const sample = await runSide(side);
    samples.push(sample);
    console.log(`  ${name}: ${JSON.stringify(sample.figures)}`);
  };
  for (let round = 0; round < rounds; round++) {
    await measure('ours', ours, own);
    for (const { name, side, samples } of others) await measure(name, side, samples);
  }
  return { ours: own, peers: Object.fromEntries(others.map(({ name, samples }) => [name, samples])) };
}

async function measureCase(name: string, benchCase: BenchCase, withTorch: boolean): Promise<BenchResult> {
  await benchCase.prepare?.();
  const before = await productRate();
  const samples = await takeTurns(benchCase, withTorch);
  const rates = [before, await productRate()];
  const [peer] = Object.values(samples.peers);
  return {
    name,
    how: benchCase.how,
    measured: new Date().toISOString(),
    machine: { ...hostMachine(), productRate: rates },
    versions: { ours: ownVersions(), peer: { ...peer?.[0]?.versions } },
    unsetForPeer: unsetForPeer.filter((variable) => process.env[variable] !== undefined),
    rounds: benchCase.rounds,
    figures: benchCase.figures.map((figure) => figureResult(figure, samples, Math.max(...rates))),
  };
}

const all = readdirSync(casesFolder)
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.replace(/\.ts$/, ''));
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  console.error(`There is no case ${unknown.join(', ')}. There are: ${all.join(', ')}`);
  process.exit(2);
}
const withTorch = await hasTorch();
if (!withTorch)
  console.log('No Python with torch and torchvision (PYTHON names one), so there is no torch to compare with.');
compileKernels();
copyJpegLibraries();
for (const name of wanted.length > 0 ? wanted : all) {
  const benchCase = await readCase(name);
  if (benchCase.unavailable !== undefined) {
    console.log(`${name} is left out: ${benchCase.unavailable}`);
    continue;
  }
  console.log(`${name}, ${benchCase.rounds} rounds`);
  const result = await measureCase(name, benchCase, withTorch);
  // A result without its ratio would take the place of one that has it.
  if (withTorch || !Object.values(benchCase.peers).some(needsPython)) {
    const folder = join(resultsFolder, machineFolder(result.machine));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(result, null, 2)}\n`);
  }
  for (const figure of result.figures) console.log(rowOf(figure));
}
