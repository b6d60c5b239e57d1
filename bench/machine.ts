import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import packageJson from '../package.json' with { type: 'json' };
import type { BenchResult } from './result.ts';

/** What a result says of the machine that it was measured on. */
export function hostMachine(): Omit<BenchResult['machine'], 'productRate'> {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    ...processorDetails(existsSync('/proc/cpuinfo') ? readFileSync('/proc/cpuinfo', 'utf8') : ''),
    cores: availableParallelism(),
    memoryMebibytes: Math.round(totalmem() / 2 ** 20),
  };
}

/** What Linux's description of a processor says beside its name, by which alone virtual machines do not tell them apart. */
export function processorDetails(cpuinfo: string): Pick<BenchResult['machine'], 'model' | 'vectors'> {
  const valueOf = (key: string) => new RegExp(`^${key}\\s*:\\s*(.*)$`, 'mu').exec(cpuinfo)?.[1];
  const [family, model] = [valueOf('cpu family'), valueOf('model')];
  const flags = new Set(valueOf('flags')?.split(' '));
  const vectors = flags.has('avx512f') ? 'AVX-512' : flags.has('avx2') ? 'AVX2' : undefined;
  return {
    ...(family === undefined || model === undefined ? {} : { model: `family ${family} model ${model}` }),
    ...(vectors === undefined ? {} : { vectors }),
  };
}

/** Our version and those of what our side computes and decodes with, as installed. */
export function ownVersions(): Record<string, string> {
  const version = (name: string) => {
    const file = join(import.meta.dirname, '..', 'node_modules', name, 'package.json');
    return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
  };
  const dependencies = Object.fromEntries(['onnxruntime-node', 'sharp'].map((name) => [name, version(name)]));
  return { fivecrop: packageJson.version, node: process.versions.node, ...dependencies };
}
