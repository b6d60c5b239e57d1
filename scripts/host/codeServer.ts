import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { userError } from '../../src/protocol/errors.ts';
import type { CodeHost } from './codeHost.ts';

/** A running VS Code server. */
export type CodeServer = {
  /** The address of the workbench with `folder` open; `payload` are the workbench's own key and value pairs. */
  url(folder?: string, payload?: readonly (readonly [string, string])[]): string;
  /** Where the server keeps its settings (`data/User`), logs (`data/logs`) and extensions. */
  dataFolder: string;
  /** The server leads the process group of everything that it starts. */
  pid: number;
  /** Ends the server with everything it started, and removes the data folder when the server made it. */
  stop(): Promise<void>;
};

export type CodeServerOptions = {
  host: CodeHost;
  /** Kept afterwards when given; else a temporary folder. */
  dataFolder?: string;
  /** 0, the default: any free port. */
  port?: number;
  /** VSIX files to install before the server starts. */
  vsix?: readonly string[];
  /** A folder that keeps what is installed for servers with the same VSIX files; else each server installs them anew. */
  keptExtensions?: string;
  /** Added to the settings that keep the workbench quiet. */
  settings?: Record<string, unknown>;
  /** Settings of the server's machine: VS Code takes settings of the scope `machine-overridable` from here alone. */
  machineSettings?: Record<string, unknown>;
  /** Lets the workbench run `extensionTestsPath`; it also suppresses notifications. */
  smokeTestDriver?: boolean;
  workspaceTrust?: boolean;
  env?: Record<string, string>;
};

/** Under a second on an idle machine. */
const startLimitMs = 120_000;

const quietSettings = {
  'chat.disableAIFeatures': true,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'git.openRepositoryInParentFolders': 'never',
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'workbench.enableExperiments': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
};

/**
 * Starts VS Code's own server on 127.0.0.1 without a connection token. Throws a user error when a VSIX cannot be
 * installed or the server does not come up within two minutes.
 */
export async function startCodeServer(options: CodeServerOptions): Promise<CodeServer> {
  const dataFolder = options.dataFolder ?? (await mkdtemp(join(tmpdir(), 'fivecrop-code-')));
  const release = () => (options.dataFolder === undefined ? removeFolder(dataFolder) : Promise.resolve());
  try {
    await writeSettings(dataFolder, 'User', { ...quietSettings, ...options.settings });
    if (options.machineSettings) await writeSettings(dataFolder, 'Machine', options.machineSettings);
    if (options.vsix && options.vsix.length > 0) await installExtensions(options, dataFolder, options.vsix);
    const server = launch(options, serverArguments(options, dataFolder));
    const port = await listeningPort(server).catch(async (error: unknown) => {
      await endGroup(server);
      throw error;
    });
    return {
      url: (folder, payload) => workbenchAddress(port, folder, payload),
      dataFolder,
      pid: server.pid ?? NaN,
      stop: async () => {
        await endGroup(server);
        await release();
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}

/** A folder whose files a process that is just ending may still hold or write: tried again for some seconds. */
export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
}

function extensionsFolder(dataFolder: string): string {
  return join(dataFolder, 'extensions');
}

function dataArguments(dataFolder: string): string[] {
  return [
    '--accept-server-license-terms',
    `--server-data-dir=${dataFolder}`,
    `--user-data-dir=${join(dataFolder, 'data')}`,
    `--extensions-dir=${extensionsFolder(dataFolder)}`,
    '--telemetry-level=off',
  ];
}

function serverArguments(options: CodeServerOptions, dataFolder: string): string[] {
  return [
    ...dataArguments(dataFolder),
    '--host=127.0.0.1',
    `--port=${options.port ?? 0}`,
    '--without-connection-token',
    '--disable-experiments',
    // It has the environment of the shell that starts it; asking a login shell takes seconds on a busy machine.
    '--force-disable-user-env',
    ...(options.workspaceTrust === true ? [] : ['--disable-workspace-trust']),
    ...(options.smokeTestDriver === true ? ['--enable-smoke-test-driver'] : []),
  ];
}

/** The server leads a process group of its own, so that its helpers end with it. */
function launch(options: CodeServerOptions, args: readonly string[]): ChildProcess {
  // What an editor's terminal sets would make the server act as that editor's command.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(VSCODE|ELECTRON)_/.test(name)));
  const child = spawn(options.host.node, [options.host.serverMain, ...args], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    // No gallery: nothing here looks for extensions on the network.
    env: { ...env, ...options.env, NODE_OPTIONS: '', EXTENSIONS_GALLERY: '{}' },
  });
  // Whoever started it may die of an uncaught error and never come to `stop`.
  const { pid } = child;
  const kill = () => pid !== undefined && signalGroup(pid, 'SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  return child;
}

async function writeSettings(
  dataFolder: string,
  level: 'User' | 'Machine',
  settings: Record<string, unknown>,
): Promise<void> {
  const folder = join(dataFolder, 'data', level);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'settings.json'), JSON.stringify(settings, null, 2));
}

async function installExtensions(
  options: CodeServerOptions,
  dataFolder: string,
  vsix: readonly string[],
): Promise<void> {
  const extensions = extensionsFolder(dataFolder);
  const name = createHash('sha256')
    .update(JSON.stringify([options.host.vscodeVersion, vsix]))
    .digest('hex');
  const kept = options.keptExtensions === undefined ? undefined : join(options.keptExtensions, name);
  if (kept !== undefined && existsSync(kept)) return cp(kept, extensions, { recursive: true });
  const wishes = vsix.map((file) => `--install-extension=${file}`);
  const installer = launch(options, [...dataArguments(dataFolder), ...wishes]);
  const output = collect(installer);
  const [code] = (await once(installer, 'close')) as [number | null];
  if (code !== 0) throw userError(`${vsix.join(', ')} could not be installed: ${output().trim()}`);
  if (kept === undefined) return;
  // Whole or not there: a test can be ended meanwhile.
  const partial = await mkdtemp(`${kept}.partial-`);
  await cp(extensions, partial, { recursive: true });
  await rename(partial, kept);
}

function collect(child: ChildProcess): () => string {
  let text = '';
  child.stdout?.on('data', (data: Buffer) => (text += data.toString()));
  child.stderr?.on('data', (data: Buffer) => (text += data.toString()));
  return () => text;
}

async function listeningPort(server: ChildProcess): Promise<number> {
  const output = collect(server);
  const { stdout } = server;
  if (stdout === null) throw new Error('the server has no output');
  const found = new Promise<number>((resolve) => {
    createInterface({ input: stdout }).on('line', (line) => {
      const port = /Extension host agent listening on (\d+)/.exec(line)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
  });
  const ended = once(server, 'exit').then(() => undefined);
  const timeout = new AbortController();
  const late = delay(startLimitMs, undefined, { signal: timeout.signal }).catch(() => undefined);
  const port = await Promise.race([found, ended, late]).finally(() => timeout.abort());
  if (port === undefined) throw userError(`VS Code's server did not start: ${output().trim()}`);
  return port;
}

function workbenchAddress(port: number, folder?: string, payload?: readonly (readonly [string, string])[]): string {
  const address = new URL(`http://127.0.0.1:${port}/`);
  if (folder === undefined) address.searchParams.set('ew', 'true');
  else address.searchParams.set('folder', folder);
  if (payload !== undefined) address.searchParams.set('payload', JSON.stringify(payload));
  return address.href;
}

/** Asks the whole group to end, and after two seconds no longer asks. */
async function endGroup(leader: ChildProcess): Promise<void> {
  const { pid } = leader;
  if (pid === undefined) return;
  signalGroup(pid, 'SIGTERM');
  for (let waited = 0; waited < 2000; waited += 50) {
    if (!signalGroup(pid, 0)) return;
    await delay(50);
  }
  signalGroup(pid, 'SIGKILL');
}

function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}
