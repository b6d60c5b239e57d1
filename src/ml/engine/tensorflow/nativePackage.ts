import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import process from 'node:process';
import util, { promisify } from 'node:util';
import * as z from 'zod';
import { messageOf } from '../../../protocol/errors.ts';
import type { TensorFlow } from '../../operators/tensorflow.ts';

const resolver = createRequire(import.meta.url);
const packages = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const;

/** TensorFlow's native library as a package brings it, or why there is none that works here. */
export type NativePackage =
  | { readonly usable: true; readonly name: string; readonly version: string; readonly gpu: boolean }
  | {
      readonly usable: false;
      readonly reason: string;
      /** It is not whole here, and could be installed. */
      readonly installable: boolean;
    };

const answerForm = z.object({ gpu: z.boolean(), version: z.string() });

/** Run in a process of its own, as source, because the bundles hold no file for it; see `loadNativePackage`. */
const question = `
  const util = require('node:util');
  util.isArray ??= Array.isArray;
  util.isNullOrUndefined ??= (value) => value === null || value === undefined;
  const tf = require(process.argv[1]);
  const backend = tf.backend();
  console.log(JSON.stringify({ gpu: backend.isUsingGpuDevice === true, version: String(backend.binding.TF_Version) }));
`;

let known: Promise<NativePackage> | undefined;

/** Looks once a process for a native package that loads. Never rejects. */
export function findNativePackage(): Promise<NativePackage> {
  known ??= tryPackages();
  return known;
}

async function tryPackages(): Promise<NativePackage> {
  const reasons: string[] = [];
  let installable = true;
  for (const name of packages) {
    const missing = missingPart(name);
    const found: NativePackage =
      missing === undefined ? await tryOut(name) : { usable: false, reason: missing, installable: true };
    if (found.usable) return found;
    if (found.reason) reasons.push(found.reason);
    installable &&= found.installable;
  }
  return { usable: false, reason: reasons.join('; ') || `${packages[0]} is not installed`, installable };
}

/** What keeps a package from being tried: '' where it is not installed at all. */
function missingPart(name: string): string | undefined {
  const folder = packageFolder(name);
  if (folder === undefined) return '';
  return hasBinding(folder) ? undefined : `${name} is installed without its native library`;
}

/** Folder of an installed package. */
function packageFolder(name: string): string | undefined {
  try {
    return dirname(resolver.resolve(`${name}/package.json`));
  } catch {
    return undefined;
  }
}

function hasBinding(folder: string): boolean {
  try {
    return readdirSync(join(folder, 'lib'), { recursive: true }).some((file) =>
      String(file).endsWith('tfjs_binding.node'),
    );
  } catch {
    return false;
  }
}

/** Loads the library in a process of its own: one that does not fit the machine can end the process that loads it. */
async function tryOut(name: string): Promise<NativePackage> {
  try {
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', question, resolver.resolve(name)], {
      timeout: 120_000,
      env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3', NODE_OPTIONS: '' },
    });
    const answer = answerForm.parse(JSON.parse(stdout.trim().split('\n').at(-1) ?? ''));
    return { usable: true, name, ...answer };
  } catch (error) {
    const lines = messageOf(error).split('\n');
    const detail = lines.find((line) => /error/i.test(line) && !line.startsWith('Command failed')) ?? lines[0] ?? '';
    return { usable: false, reason: `${name} does not load here (${detail.trim()})`, installable: false };
  }
}

/**
 * Loads a package that `findNativePackage` found. Node 23 took two functions out of `node:util` that tfjs-node 4.22
 * still calls, so they are put back first. Throws what the library throws.
 */
export function loadNativePackage(name: string): TensorFlow {
  const old = util as unknown as Record<string, unknown>;
  old['isArray'] ??= Array.isArray;
  old['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined;
  // By `require`, so that the package may be absent when this code is compiled and bundled.
  return resolver(name) as TensorFlow;
}
