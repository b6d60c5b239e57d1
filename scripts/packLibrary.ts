// Makes the package for npm, `npm run package:library`: the bundled command and library with their types, which depends
// only on what the bundles do not hold.
import { execFileSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { messageOf } from '../src/protocol/errors.ts';
import { npm } from './host/registryPackage.ts';
import external from './external.json' with { type: 'json' };

const root = join(import.meta.dirname, '..');

const libraryTypes = 'src/ml/library/main.d.ts';

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly [key: string]: unknown;
}

try {
  await packLibrary();
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
}

async function packLibrary(): Promise<void> {
  const stage = await mkdtemp(join(tmpdir(), 'fivecrop-library-'));
  try {
    run('esbuild.config.mjs', '--production', '--into', join(stage, 'dist'));
    await rm(join(stage, 'dist', 'extension'), { recursive: true });
    await keepServedPage(join(stage, 'dist', 'webview'));
    run(join('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'src/ml/library', '--outDir', join(stage, 'types'));
    for (const name of ['LICENSE', 'README.md', 'CHANGELOG.md']) await cp(join(root, name), join(stage, name));
    await keepReachable(join(stage, 'types'), libraryTypes);
    const name = await writeManifest(stage);
    await mkdir(join(root, 'dist'), { recursive: true });
    await npm(['pack', '--ignore-scripts', '--pack-destination', join(root, 'dist')], stage);
    console.log(`dist/${name}`);
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

function run(...args: readonly string[]): void {
  execFileSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
}

/** Of the pages, the library has that of `fivecrop serve`. */
async function keepServedPage(folder: string): Promise<void> {
  for (const name of await readdir(folder)) if (!/^serving\.(js|css)$/u.test(name)) await rm(join(folder, name));
}

/** Removes declarations that the library’s own do not lead to. */
async function keepReachable(folder: string, entry: string): Promise<void> {
  const reached = new Set([join(folder, entry)]);
  for (const file of reached) {
    for (const [, path = ''] of (await readFile(file, 'utf8')).matchAll(
      /(?:from|import\() ?['"](\.[^'"]+)\.ts['"]/gu,
    )) {
      reached.add(join(dirname(file), `${path}.d.ts`));
    }
  }
  for (const name of await readdir(folder, { recursive: true })) {
    const file = join(folder, name);
    if (name.endsWith('.d.ts') && !reached.has(file)) await rm(file);
  }
}

/** Writes the manifest of the package and gives the name of its archive. */
async function writeManifest(stage: string): Promise<string> {
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Manifest;
  const { name, version, license, type, keywords, bin, dependencies } = manifest;
  // The types are those of schemas.
  const kept = [...external.shipped, 'zod'];
  const staged = {
    ...{ name, version, license, type, keywords, bin },
    description: 'Trains, tests and uses image classifiers in Node. No Python.',
    engines: { node: (manifest['engines'] as Record<string, string>)['node'] },
    exports: { '.': { types: `./types/${libraryTypes}`, import: './dist/ml/library.mjs' } },
    dependencies: Object.fromEntries(Object.entries(dependencies).filter(([each]) => kept.includes(each))),
  };
  await writeFile(join(stage, 'package.json'), JSON.stringify(staged, null, 2));
  return `${String(name)}-${String(version)}.tgz`;
}
