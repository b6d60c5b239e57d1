import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { messageOf, userError } from '../../src/protocol/errors.ts';

const execute = promisify(execFile);

/** A package of the npm registry, pinned: `integrity` is the registry's own, so that nothing else is accepted. */
export type RegistryPackage = { name: string; version: string; integrity: `sha512-${string}` };

/**
 * Downloads the package through npm (its registry, proxy and credentials are npm's business), checks it, and unpacks
 * it into `folder`. Throws a user error when the download fails or is not the pinned one.
 */
export async function unpackRegistryPackage(wanted: RegistryPackage, folder: string): Promise<void> {
  const label = `${wanted.name}@${wanted.version}`;
  const downloads = await mkdtemp(join(tmpdir(), 'fivecrop-pack-'));
  try {
    await npm(['pack', label, '--ignore-scripts', '--silent', '--pack-destination', downloads], downloads);
    const [file] = await readdir(downloads);
    if (file === undefined) throw userError(`npm downloaded nothing for ${label}; check the registry.`);
    const archive = join(downloads, file);
    const hash = createHash('sha512');
    await pipeline(createReadStream(archive), hash);
    if (`sha512-${hash.digest('base64')}` !== wanted.integrity) {
      throw userError(`${label} from the registry is not the package that is pinned here; nothing was installed.`);
    }
    await mkdir(folder, { recursive: true });
    await execute('tar', ['-xzf', archive, '-C', folder, '--strip-components=1', '--no-same-owner']);
  } finally {
    await rm(downloads, { recursive: true, force: true });
  }
}

/** Runs npm in `folder`. Throws a user error with npm's own words when it fails. */
export async function npm(args: readonly string[], folder: string): Promise<void> {
  const windows = process.platform === 'win32';
  // Our test runner's `--import tsx` would reach npm, which cannot resolve it from its folder.
  const env = { ...process.env, NODE_OPTIONS: '' };
  const options = { cwd: folder, env, shell: windows, maxBuffer: 64 << 20 };
  await execute(windows ? 'npm.cmd' : 'npm', args, options).catch((error: unknown) => {
    throw userError(`"npm ${args[0] ?? ''}" failed; is the package registry reachable? ${messageOf(error)}`, error);
  });
}
