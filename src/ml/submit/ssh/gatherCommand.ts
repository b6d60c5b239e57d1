import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, realpath, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import external from '../../../../scripts/external.json' with { type: 'json' };
import { userError } from '../../../protocol/errors.ts';
import { writeTextAtomically } from '../../../runs/atomicFile.ts';
import { cacheFolder } from '../../cache/cacheFolder.ts';
import { digestFiles } from '../digestFiles.ts';
import { filesIn } from '../filesIn.ts';

/** Where the scripts of the command lie in a folder with all that they need. */
export const commandScripts = 'dist/ml';

/** The running command with all that it needs besides Node.js. */
export interface GatheredCommand {
  /** A temporary folder of links to where each file lies. */
  readonly folder: string;
  /** Of all files, by which another machine tells whether it has them. */
  readonly sha256: string;
  readonly remove: () => Promise<void>;
}

/** Of no use to who runs the command. */
const needless = /\.(?:map|md|d\.[cm]?ts)$/u;

/**
 * Gathers the running command: its scripts, and the packages with native code that stay outside them, with those that
 * these need; of their binaries, those of this platform. Nothing is copied. Throws a user error where a package is missing.
 */
export async function gatherCommand(): Promise<GatheredCommand> {
  if (import.meta.url.endsWith('.ts')) throw userError('Only the built command can be brought to another machine.');
  const scripts = fileURLToPath(new URL('.', import.meta.url));
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-command-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const parts = new Map([[commandScripts, scripts], ...(await packagesFrom(scripts))]);
    const files: string[] = [];
    for (const [part, target] of parts) {
      for (const file of await neededFiles(target, part)) {
        files.push(`${part}/${file}`);
        await mkdir(dirname(join(folder, part, file)), { recursive: true });
        await symlink(join(target, file), join(folder, part, file));
      }
    }
    return { folder, sha256: await rememberedDigest(scripts, folder, files), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

const rememberedSchema = z.object({ state: z.string(), sha256: z.string().regex(/^[0-9a-f]{64}$/u) });

/** The digest of the files; for as long as none of them changes, the one that was made of them before: they are a hundred megabytes. */
async function rememberedDigest(scripts: string, folder: string, files: readonly string[]): Promise<string> {
  const kept = join(cacheFolder(), 'commands', `${sha256Of(scripts).slice(0, 16)}.json`);
  const states = files.map(async (file) => {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(join(folder, file), { bigint: true });
    return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs} ${file}`;
  });
  const state = sha256Of((await Promise.all(states)).sort().join('\n'));
  const before = await readFile(kept, 'utf8')
    .then((text) => rememberedSchema.parse(JSON.parse(text)))
    .catch(() => undefined);
  if (before?.state === state) return before.sha256;
  const sha256 = await digestFiles(folder, files);
  // Where it cannot be kept, it is made again.
  await mkdir(dirname(kept), { recursive: true })
    .then(() => writeTextAtomically(kept, JSON.stringify({ state, sha256 })))
    .catch(() => undefined);
  return sha256;
}

function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

interface Manifest {
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface Wanted {
  readonly name: string;
  /** Folder from which it is looked for, as Node.js does. */
  readonly from: string;
  /** Where the package that needs it is to lie. */
  readonly beside: string;
}

/** The folders of the packages that the command needs, by where they are to lie. */
async function packagesFrom(scripts: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const queue: Wanted[] = external.shipped.map((name) => ({ name, from: scripts, beside: '' }));
  for (const { name, from, beside } of queue) {
    const folder = await findPackage(name, from);
    if (folder === undefined && beside === '')
      throw userError(`The package ${name} is not installed beside this command: install Fivecrop again.`);
    const usual = `node_modules/${name}`;
    // Another version than the one that others have lies with the package that needs it.
    const place = found.has(usual) && found.get(usual) !== folder ? `${beside}/${usual}` : usual;
    if (folder === undefined || found.get(place) === folder) continue;
    const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest;
    if (manifest.os?.includes(process.platform) === false || manifest.cpu?.includes(process.arch) === false) continue;
    found.set(place, folder);
    const needed = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });
    queue.push(...needed.map((each) => ({ name: each, from: folder, beside: place })));
  }
  return found;
}

/** Where Node.js finds a package from a folder; links are resolved, as it does. */
async function findPackage(name: string, from: string): Promise<string | undefined> {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return realpath(candidate);
    if (folder === dirname(folder)) return undefined;
  }
}

/** What is needed of a part, by paths below its folder; packages inside it are parts of their own. */
async function neededFiles(target: string, part: string): Promise<string[]> {
  return (await filesIn(target)).filter(
    (file) => !needless.test(file) && !`/${file}`.includes('/node_modules/') && isOfPlatform(part, file),
  );
}

/** ONNX Runtime's package may bring the binaries of all platforms, in `bin/<n-api>/<os>/<cpu>`. */
function isOfPlatform(part: string, file: string): boolean {
  const [bin, , os, cpu] = file.split('/');
  if (!part.endsWith('/onnxruntime-node') || bin !== 'bin') return true;
  return os === process.platform && cpu === process.arch;
}
