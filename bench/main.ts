import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileKernels } from '../scripts/compileKernels.mjs';
import { copyJpegLibraries } from '../scripts/jpegLibrary.mjs';
import type { BenchCase, Sample, Side } from './benchCase.ts';
import { hostMachine, ownVersions } from './machine.ts';
import { type BenchResult, figureResult, type ProductRates, type Samples } from './result.ts';
import { canRun, findPythons, needsPython, type Python, runSide, unsetForPeer } from './sides.ts';
import { machineFolder, rowOf } from './table.ts';

/*
 * `npm run bench` measures every case of bench/cases beside its peer, `npm run bench -- NAME...` only those named, and
 * writes bench/results/MACHINE/NAME.json. The sides take turns, each in a process of its own. The peers are torch and
 * torchvision in the Pythons that PYTHON names (two are separated as folders in PATH are), Debian's python3-torch by
 * default; without them only our side is measured.
 */
const casesFolder = join(import.meta.dirname, 'cases');
const resultsFolder = join(import.meta.dirname, 'results');

async function readCase(name: string): Promise<BenchCase> {
  const { benchCase } = (await import(join(casesFolder, `${name}.ts`))) as { benchCase: BenchCase };
  return benchCase;
}

async function productRate(precision: 'float32' | 'int8'): Promise<number> {
  const { figures } = await runSide({ script: 'ours/product.ts', args: [precision] });
  return figures['operationsPerSecond'] ?? Number.NaN;
}

/** What the figures of a case are compared with, measured once more than before. */
async function productRates({ figures }: BenchCase, before?: ProductRates): Promise<ProductRates> {
  const rates = { productRate: [...(before?.productRate ?? []), await productRate('float32')] };
  if (!figures.some(({ int8 }) => int8)) return rates;
  return { ...rates, int8ProductRate: [...(before?.int8ProductRate ?? []), await productRate('int8')] };
}

/** A variant of the peer in one Python, or one of ours. */
interface Peer {
  readonly name: string;
  readonly side: Side;
  readonly python?: Python;
}

function peersOf({ peers }: BenchCase, pythons: readonly Python[]): Peer[] {
  return Object.entries(peers).flatMap(([name, side]): Peer[] =>
    needsPython(side)
      ? pythons
          .filter((python) => canRun(python, side))
          .map((python) => ({ name: side.needs === 'sklearn' ? name : `torch ${python.torch}, ${name}`, side, python }))
      : [{ name, side }],
  );
}

async function takeTurns(benchCase: BenchCase, pythons: readonly Python[]): Promise<Samples> {
  const { rounds, ours } = benchCase;
  const others = peersOf(benchCase, pythons).map((peer) => ({ ...peer, samples: [] as Sample[] }));
  const own: Sample[] = [];
  const measure = async ({ name, side, python }: Peer, samples: Sample[]) => {
    const sample = await runSide(side, python?.command);
    samples.push(sample);
    console.log(`  ${name}: ${JSON.stringify(sample.figures)}`);
  };
  for (let round = 0; round < rounds; round++) {
    await measure({ name: 'ours', side: ours }, own);
    for (const { samples, ...peer } of others) await measure(peer, samples);
  }
  return { ours: own, peers: Object.fromEntries(others.map(({ name, samples }) => [name, samples])) };
}

async function measureCase(name: string, benchCase: BenchCase, pythons: readonly Python[]): Promise<BenchResult> {
  await benchCase.prepare?.();
  const before = await productRates(benchCase);
  const samples = await takeTurns(benchCase, pythons);
  const machine = { ...hostMachine(), ...(await productRates(benchCase, before)) };
  return {
    name,
    how: benchCase.how,
    measured: new Date().toISOString(),
    machine,
    versions: { ours: ownVersions(), peer: versionsOf(samples.peers) },
    unsetForPeer: unsetForPeer.filter((variable) => process.env[variable] !== undefined),
    rounds: benchCase.rounds,
    figures: benchCase.figures.map((figure) => figureResult(figure, samples, machine)),
  };
}

/** What the peers ran on; two versions of one thing stand beside each other. */
function versionsOf(peers: Samples['peers']): Record<string, string> {
  const found = new Map<string, Set<string>>();
  for (const [{ versions = {} } = {}] of Object.values(peers) as [Sample?][])
    for (const [name, version] of Object.entries(versions))
      found.set(name, (found.get(name) ?? new Set()).add(version));
  return Object.fromEntries([...found].map(([name, all]) => [name, [...all].join(' and ')]));
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
const pythons = await findPythons();
if (pythons.length === 0)
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
  const result = await measureCase(name, benchCase, pythons);
  // A result without its ratio would take the place of one that has it.
  if (pythons.length > 0 || !Object.values(benchCase.peers).some(needsPython)) {
    const folder = join(resultsFolder, machineFolder(result.machine));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(result, null, 2)}\n`);
  }
  for (const figure of result.figures) console.log(rowOf(figure));
}
