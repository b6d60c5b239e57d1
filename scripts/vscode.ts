// `npm run vscode`: the workbench with this extension and the sample data. In a desktop VS Code where the `code`
// command is there; else a VS Code server gets the packaged extension (it loads a source tree only when it runs tests)
// and its address is printed. `--browser` always takes the server.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { messageOf, userError } from '../src/protocol/errors.ts';
import { hasRegistryHost, installCodeHost } from './host/codeHost.ts';
import { startCodeServer } from './host/codeServer.ts';
import { findCodeCommand } from './host/desktopCode.ts';
import { presentTarget, vsixPath } from './host/vsix.ts';

const root = join(import.meta.dirname, '..');
/** Opened as a user's folder would be: the data inside it, and the runs beside the data. */
const playground = join(root, 'playground');
const sample = join(playground, 'sample');

try {
  const { values } = parseArgs({ options: { browser: { type: 'boolean' }, port: { type: 'string', default: '0' } } });
  await drawSample();
  const code = values.browser === true ? undefined : findCodeCommand();
  if (code !== undefined) await openDesktop(code);
  else await serve(Number(values.port));
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
}

async function drawSample(): Promise<void> {
  if (existsSync(sample)) return;
  await succeed(process.execPath, [join(root, 'dist', 'ml', 'fivecrop.mjs'), 'sample', sample]);
}

async function openDesktop(code: string): Promise<void> {
  console.log(`Opening ${code}.`);
  await succeed(code, [`--extensionDevelopmentPath=${root}`, playground]);
}

async function succeed(command: string, args: readonly string[]): Promise<void> {
  const shell = command.endsWith('.cmd');
  const child = spawn(shell ? `"${command}"` : command, args, { stdio: 'inherit', shell });
  const [status] = (await once(child, 'close')) as [number | null];
  if (status !== 0) throw userError(`"${[command, ...args].join(' ')}" failed.`);
}

async function serve(port: number): Promise<void> {
  if (!hasRegistryHost()) {
    throw userError('No `code` command was found; install VS Code and its `code` command, or open this folder in it.');
  }
  const host = await installCodeHost();
  await succeed(process.execPath, ['--import', 'tsx', join(root, 'scripts', 'package.ts')]);
  const server = await startCodeServer({ host, port, vsix: [vsixPath(presentTarget())] });
  try {
    console.log(`No desktop VS Code here. The workbench is at\n\n    ${server.url(playground)}\n`);
    console.log('Ctrl-C ends it.');
    await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  } finally {
    await server.stop();
  }
}
