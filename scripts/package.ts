// Makes the VSIX: `npm run package` for the platform that it runs on, `npm run package -- --target win32-x64` for
// another. Everything is put together in a temporary folder from a clean install, so that nothing of a developer's
// node_modules gets in.
import { execFileSync } from 'node:child_process';
import { appendFile, cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { createVSIX, listFiles } from '@vscode/vsce';
import { messageOf } from '../src/protocol/errors.ts';
import external from './external.json' with { type: 'json' };
import { npm } from './host/registryPackage.ts';
import { jpegLibraryName } from './jpegLibrary.mjs';
import { licencesOf } from './licences.mjs';
import { addToSbom } from './sbom.mjs';
import { parseTarget, presentTarget, vscodeTargets, vsixPath, type VscodeTarget } from './host/vsix.ts';

const root = join(import.meta.dirname, '..');
const shipped = [
  'package.nls.json',
  'l10n',
  'README.md',
  'CHANGELOG.md',
  'LICENSE',
  'media',
  '.vscodeignore',
  '.npmrc',
  'package-lock.json',
];

type Manifest = Record<string, unknown> & { dependencies: Record<string, string> };

try {
  const { values } = parseArgs({ options: { target: { type: 'string' } } });
  await makePackage(values.target === undefined ? presentTarget() : parseTarget(values.target));
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
}

async function makePackage(target: VscodeTarget): Promise<void> {
  const stage = await mkdtemp(join(tmpdir(), 'fivecrop-package-'));
  try {
    execFileSync(process.execPath, ['esbuild.config.mjs', '--production', '--into', join(stage, 'dist')], {
      cwd: root,
      stdio: 'inherit',
    });
    for (const name of shipped) {
      if (existsSync(join(root, name))) await cp(join(root, name), join(stage, name), { recursive: true });
    }
    await writeManifest(stage);
    await installFor(target, stage);
    await addLicences(stage);
    const packagePath = vsixPath(target);
    // Pictures of the README stay as they are: an extension's page shows those of https addresses alone, and there is none
    // to have them from. What stands in the package or in the text (data:) it drops.
    await createVSIX({ cwd: stage, packagePath, target, allowMissingRepository: true, rewriteRelativeLinks: false });
    const megabytes = (await stat(packagePath)).size / 1e6;
    console.log(`${relative(root, packagePath)}: ${megabytes.toFixed(1)} MB`);
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

/** Only what the bundles do not hold is a dependency of the package. */
async function writeManifest(stage: string): Promise<void> {
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Manifest;
  const kept = Object.entries(manifest.dependencies).filter(([name]) => external.shipped.includes(name));
  const left = new Set(['scripts', 'exports', 'devDependencies', 'optionalDependencies', 'dependencies']);
  const rest = Object.entries(manifest).filter(([name]) => !left.has(name));
  const staged = { ...Object.fromEntries(rest), dependencies: Object.fromEntries(kept) };
  await writeFile(join(stage, 'package.json'), JSON.stringify(staged, null, 2));
}

/** The lock file pins the versions; npm leaves out of it what the smaller manifest does not ask for. */
async function installFor(target: VscodeTarget, stage: string): Promise<void> {
  const { os, cpu, ...rest } = vscodeTargets[target];
  const libc = 'libc' in rest ? [`--libc=${rest.libc}`] : [];
  const platform = [`--os=${os}`, `--cpu=${cpu}`, ...libc];
  await npm(['install', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', ...platform], stage);
  await keepBinariesOf(join(stage, 'node_modules', 'onnxruntime-node', 'bin'), os, cpu);
  await keepJpegLibraryOf(join(stage, 'dist', 'ml'), os === 'linux' ? jpegLibraryName(cpu) : undefined);
}

/** What stands in the VSIX as it is, beside what the bundles hold: not every package brings a file with its licence. */
async function addLicences(stage: string): Promise<void> {
  const files = await listFiles({ cwd: stage });
  const licences = licencesOf(stage, files, 'These packages stand in node_modules as they are.');
  await appendFile(join(stage, 'dist', 'licences.txt'), `\n${licences}`);
  addToSbom(join(stage, 'dist', 'sbom.cdx.json'), stage, files);
}

/** onnxruntime-node brings the binaries of all platforms, in `bin/<n-api>/<os>/<cpu>`. */
async function keepBinariesOf(bin: string, os: string, cpu: string): Promise<void> {
  for (const api of await readdir(bin)) {
    for (const system of await readdir(join(bin, api))) {
      for (const processor of await readdir(join(bin, api, system))) {
        const folder = join(bin, api, system, processor);
        if (system !== os || processor !== cpu) await rm(folder, { recursive: true });
        else await dropDuplicates(folder);
      }
    }
  }
}

/** The build has libjpeg-turbo's library for every processor of Linux. */
async function keepJpegLibraryOf(folder: string, kept: string | undefined): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.endsWith('.so') && name !== kept) await rm(join(folder, name));
  }
}

/** Archives of npm hold no links, so macOS has its library twice; the addon opens the one without the full version. */
async function dropDuplicates(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (/^libonnxruntime\.\d+\.\d+\.\d+\.dylib$/.test(name)) await rm(join(folder, name));
  }
}
