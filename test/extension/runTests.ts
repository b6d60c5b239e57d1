// Runs the suite of this folder inside an extension host: on linux-x64 in a VS Code server from the npm registry,
// elsewhere, or with FIVECROP_HOST=desktop, in a desktop VS Code: the installed one, else a downloaded one.
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { downloadAndUnzipVSCode, runTests } from '@vscode/test-electron';
import { cacheFolder } from '../../scripts/host/cache.ts';
import { hasRegistryHost, wantedHostAge } from '../../scripts/host/codeHost.ts';
import { removeFolder } from '../../scripts/host/codeServer.ts';
import { findDesktopCode } from '../../scripts/host/desktopCode.ts';
import { messageOf } from '../../src/protocol/errors.ts';

const root = join(import.meta.dirname, '..', '..');

try {
  const executable = await findExecutable();
  if (executable !== undefined) await runSuite(executable);
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
}

async function runSuite(vscodeExecutablePath: string): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'fivecrop-host-'));
  try {
    const workspace = join(scratch, 'workspace');
    await mkdir(workspace);
    await runTests({
      vscodeExecutablePath,
      extensionDevelopmentPath: root,
      extensionTestsPath: join(root, 'dist', 'test', 'extension', 'index.cjs'),
      launchArgs: [workspace, `--user-data-dir=${join(scratch, 'user')}`, `--extensions-dir=${join(scratch, 'ext')}`],
    });
  } finally {
    await removeFolder(scratch);
  }
}

/** The program to run the suite in; says which, or that there is none. */
async function findExecutable(): Promise<string | undefined> {
  if (hasRegistryHost() && process.env['FIVECROP_HOST'] !== 'desktop') {
    console.log(`Running inside the ${wantedHostAge()} VS Code server.`);
    return join(root, 'scripts', 'host', 'desktopShim.mjs');
  }
  try {
    const desktop = findDesktopCode() ?? (await downloadAndUnzipVSCode({ cachePath: cacheFolder() }));
    console.log(`Running inside ${desktop}.`);
    return desktop;
  } catch (error) {
    console.log(`Skipped the suite in an extension host: no VS Code is here or can be had (${messageOf(error)}).`);
    return undefined;
  }
}
