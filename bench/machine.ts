import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import packageJson from '../package.json' with { type: 'json' };
import type { BenchResult } from './result.ts';

/** What a result says of the machine that it was measured on. */
export function hostMachine(): Omit<BenchResult['machine'], 'productRate'> {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    ...vectorsOf(existsSync('/proc/cpuinfo') ? readFileSync('/proc/cpuinfo', 'utf8') : ''),
    cores: availableParallelism(),
    memoryMebibytes: Math.round(totalmem() / 2 ** 20),
  };
}

/** The widest vectors that Linux's description of a processor names: virtual machines tell several of one name apart by nothing else. */
export function vectorsOf(cpuinfo: string): Pick<BenchResult['machine'], 'vectors'> {
  const flags = new Set(/^flags\s*:(.*)$/mu.exec(cpuinfo)?.[1]?.split(' '));
  if (flags.has('avx512f')) return { vectors: 'AVX-512' };
  return flags.has('avx2') ? { vectors: 'AVX2' } : {};
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
