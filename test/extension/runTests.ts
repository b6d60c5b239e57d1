// Runs the suite of this folder inside an extension host: on linux-x64 in a VS Code server from the npm registry,
// elsewhere, or with FIVECROP_HOST=desktop, in a desktop VS Code.
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { runTests } from '@vscode/test-electron';
import { hasRegistryHost, wantedHostAge } from '../../scripts/host/codeHost.ts';
import { removeFolder } from '../../scripts/host/codeServer.ts';
import { findDesktopCode } from '../../scripts/host/desktopCode.ts';

const root = join(import.meta.dirname, '..', '..');
const scratch = await mkdtemp(join(tmpdir(), 'fivecrop-host-'));
try {
  const executable = findExecutable();
  const workspace = join(scratch, 'workspace');
  await mkdir(workspace);
  await runTests({
    ...(executable === undefined ? {} : { vscodeExecutablePath: executable }),
    extensionDevelopmentPath: root,
    extensionTestsPath: join(root, 'dist', 'test', 'extension', 'index.cjs'),
    launchArgs: [workspace, `--user-data-dir=${join(scratch, 'user')}`, `--extensions-dir=${join(scratch, 'ext')}`],
  });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await removeFolder(scratch);
}

function findExecutable(): string | undefined {
  if (hasRegistryHost() && process.env['FIVECROP_HOST'] !== 'desktop') {
    console.log(`Running inside the ${wantedHostAge()} VS Code server.`);
    return join(root, 'scripts', 'host', 'desktopShim.mjs');
  }
  const desktop = findDesktopCode();
  if (desktop !== undefined) {
    console.log(`Running inside ${desktop}.`);
    return desktop;
  }
  console.log('No desktop VS Code was found here: @vscode/test-electron downloads one from its publisher.');
  return undefined;
}
