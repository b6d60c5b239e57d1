import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { userError } from '../../src/protocol/errors.ts';

const root = join(import.meta.dirname, '..', '..');

/** The platforms that VS Code packages are made for, as npm calls their system, processor and C library. */
export const vscodeTargets = {
  'linux-x64': { os: 'linux', cpu: 'x64', libc: 'glibc' },
  'linux-arm64': { os: 'linux', cpu: 'arm64', libc: 'glibc' },
  'darwin-arm64': { os: 'darwin', cpu: 'arm64' },
  'win32-x64': { os: 'win32', cpu: 'x64' },
  'win32-arm64': { os: 'win32', cpu: 'arm64' },
} as const satisfies Record<string, { os: string; cpu: string; libc?: string }>;

export type VscodeTarget = keyof typeof vscodeTargets;

/** Throws a user error when ONNX Runtime has no binary for that target. */
export function parseTarget(text: string): VscodeTarget {
  if (Object.hasOwn(vscodeTargets, text)) return text as VscodeTarget;
  if (text === 'darwin-x64') {
    throw userError('ONNX Runtime has no binary for Macs with Intel processors, so no package can be made for them.');
  }
  throw userError(`No package can be made for ${text}; there are ${Object.keys(vscodeTargets).join(', ')}.`);
}

/** The target of the machine that this runs on. */
export function presentTarget(): VscodeTarget {
  return parseTarget(`${process.platform}-${process.arch}`);
}

/** Where `npm run package` writes the package for a target. */
export function vsixPath(target: VscodeTarget): string {
  const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, string>;
  return join(root, `${name ?? ''}-${target}-${version ?? ''}.vsix`);
}

/** The package for this machine: `FIVECROP_VSIX`, or what `npm run package` wrote. Throws a user error without one. */
export function presentVsix(): string {
  const path = process.env['FIVECROP_VSIX'] ?? vsixPath(presentTarget());
  if (!existsSync(path)) throw userError(`${path} does not exist; run \`npm run package\` first.`);
  return path;
}
