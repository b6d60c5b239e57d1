import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { cancelled, userError } from '../../protocol/errors.ts';
import type { Parts } from '../parts.ts';
import { signalOf } from '../service/signalOf.ts';
import { tensorflowFolder } from '../workerEnvironment.ts';
import { registerCommand } from './registerCommand.ts';

const packageName = '@tensorflow/tfjs-node-gpu';
/** The version that the lock file names, which is what our tests run. */
const version = '4.22.0';
/** The version of TensorFlow that the package's script downloads. */
const libraryVersion = '2.9.1';

/** *Install TensorFlow GPU Runtime*: the pinned package and its native library, into the extension's own storage. */
export function registerInstallTensorflow(
  context: vscode.ExtensionContext,
  { log }: Pick<Parts, 'log'>,
): vscode.Disposable {
  return registerCommand('fivecrop.installTensorflow', log, async () => {
    requirePlatform();
    await ask();
    const options = {
      location: vscode.ProgressLocation.Notification,
      title: l10n.t('Installing TensorFlow'),
      cancellable: true,
    };
    await vscode.window.withProgress(options, (progress, token) => {
      const say = (message: string) => {
        log.info(`tensorflow: ${message}`);
        progress.report({ message: message.slice(0, 80) });
      };
      return install(tensorflowFolder(context), { say, signal: signalOf(token) });
    });
    const show = l10n.t('Show Devices');
    const done = l10n.t('TensorFlow {0} is installed. Show Devices says whether it finds a GPU.', libraryVersion);
    if ((await vscode.window.showInformationMessage(done, show)) === show) {
      await vscode.commands.executeCommand('fivecrop.showDevices');
    }
  });
}

interface Installing {
  readonly say: (message: string) => void;
  readonly signal: AbortSignal;
}

function requirePlatform(): void {
  const known = (process.platform === 'linux' || process.platform === 'win32') && process.arch === 'x64';
  if (!known) {
    throw userError(
      l10n.t('TensorFlow’s GPU package exists for Linux and Windows on x64 only; ONNX Runtime works here.'),
    );
  }
}

async function ask(): Promise<void> {
  const go = l10n.t('Install');
  const detail = l10n.t(
    'This downloads {0} {1} with npm, and its library, TensorFlow {2} of 2022, from storage.googleapis.com, some 400 MB together, into Fivecrop’s own storage. It computes on the processor. For an NVIDIA card it needs CUDA 11.2 and cuDNN 8.1, which you install yourself and which know cards up to compute capability 8.6 (GeForce RTX 30); nobody has tried that with Fivecrop. Install CUDA Runtime is for newer cards, too.',
    packageName,
    version,
    libraryVersion,
  );
  const answer = await vscode.window.showInformationMessage(l10n.t('Install TensorFlow?'), { modal: true, detail }, go);
  if (answer !== go) throw cancelled();
}

async function install(folder: string, { say, signal }: Installing): Promise<void> {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const installed = join(folder, 'node_modules', ...packageName.split('/'));
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), '{ "private": true }\n');
  await run(npm, ['--version'], folder, { say: () => undefined, signal }).catch(() => {
    if (signal.aborted) throw cancelled();
    throw userError(
      l10n.t(
        'This needs npm, which comes with Node.js and is not on the PATH here: install Node.js from nodejs.org, then run this command again.',
      ),
    );
  });
  say(`npm install ${packageName}`);
  // Its script, which fetches the library, is run by itself: npm may be set not to run any.
  const args = ['install', `${packageName}@${version}`, '--ignore-scripts', '--no-audit', '--no-fund'];
  await run(npm, args, folder, { say, signal }).catch(
    failed(l10n.t('npm could not install the package; see Fivecrop: Show Log for details. Nothing else is affected.')),
  );
  say(l10n.t('Downloading TensorFlow’s library'));
  const bin = join(folder, 'node_modules', '.bin');
  await run('node', ['scripts/install.js', 'gpu', 'download'], installed, { say, signal }, bin).catch(
    failed(
      l10n.t(
        'TensorFlow’s library could not be downloaded or built; see Fivecrop: Show Log for details. Nothing else is affected.',
      ),
    ),
  );
  // The package's script may end with 0 although its download failed.
  if (!(await hasBinding(join(installed, 'lib')))) {
    throw userError(
      l10n.t(
        'TensorFlow’s library could not be downloaded from storage.googleapis.com; behind a proxy set HTTPS_PROXY, with a mirror TFJS_NODE_CDN_STORAGE, and try again.',
      ),
    );
  }
}

function failed(sentence: string): (error: unknown) => never {
  return (error) => {
    if (error instanceof Error && error.name === 'CancelledError') throw error;
    throw userError(sentence, error);
  };
}

async function hasBinding(lib: string): Promise<boolean> {
  if (!existsSync(lib)) return false;
  return (await readdir(lib, { recursive: true })).some((file) => file.endsWith('tfjs_binding.node'));
}

function run(
  command: string,
  args: readonly string[],
  cwd: string,
  { say, signal }: Installing,
  path?: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const PATH = [...(path === undefined ? [] : [path]), process.env['PATH'] ?? ''].join(delimiter);
    // Windows starts `npm.cmd` by its shell only; nothing in the arguments comes from a user.
    const shell = process.platform === 'win32';
    const child = spawn(command, args, { cwd, shell, windowsHide: true, env: { ...process.env, PATH } });
    const kill = () => child.kill();
    if (signal.aborted) kill();
    signal.addEventListener('abort', kill, { once: true });
    for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', say);
    child.on('error', reject);
    child.on('close', (code) => {
      signal.removeEventListener('abort', kill);
      if (signal.aborted) reject(cancelled());
      else if (code === 0) resolve();
      else reject(new Error(`${command} ended with code ${String(code)}`));
    });
  });
}
