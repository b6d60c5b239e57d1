// Acts as the executable of a desktop VS Code for `runTests` of @vscode/test-electron: takes the desktop's flags, runs
// the suite in the extension host of a VS Code server, and ends with the suite's exit code. Of the flags it knows the
// folder to open, --extensionDevelopmentPath, --extensionTestsPath, --install-extension and
// --disable-workspace-trust; profiles are always fresh here, so --user-data-dir and --extensions-dir are ignored.
import { resolve } from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { messageOf, userError } from '../../src/protocol/errors.ts';
import { launchBrowser } from './browser.ts';
import { installCodeHost } from './codeHost.ts';
import { startCodeServer } from './codeServer.ts';

const limitMs = 15 * 60_000;

/** What the workbench itself says on every start; all else in its console is printed with the suite's output. */
const chatter =
  /^(Ignoring fetching additional|Creating a socket|Resolv(ing|ed) connection token|Updating additional builtin|ChatSessionStore|Creation of workbench contribution|Timed out waiting for authentication provider|\[(reconnection|AgentHost|AccountPolicyGate|Service Worker))/;

const { values, positionals } = parseArgs({
  strict: false,
  allowPositionals: true,
  options: {
    extensionDevelopmentPath: { type: 'string', multiple: true },
    extensionTestsPath: { type: 'string' },
    'install-extension': { type: 'string', multiple: true },
    'disable-workspace-trust': { type: 'boolean' },
  },
});

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());

try {
  process.exitCode = await runSuite();
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
}

async function runSuite(): Promise<number> {
  const testsPath = texts(values.extensionTestsPath)[0];
  if (testsPath === undefined) throw userError('--extensionTestsPath is missing: this only runs test suites.');
  const server = await startCodeServer({
    host: await installCodeHost(),
    smokeTestDriver: true,
    workspaceTrust: values['disable-workspace-trust'] !== true,
    vsix: texts(values['install-extension']).map((path) => resolve(path)),
  });
  try {
    const payload = [
      ...texts(values.extensionDevelopmentPath).map((path) => ['extensionDevelopmentPath', remote(path)] as const),
      ['extensionTestsPath', remote(testsPath)] as const,
    ];
    return await driveWorkbench(server.url(positionals.map((path) => resolve(path))[0], payload));
  } finally {
    await server.stop();
  }
}

/** Opens the workbench, prints what the suite prints, and gives its exit code. */
async function driveWorkbench(address: string): Promise<number> {
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    const ended = new Promise<number>((end) => {
      void page.exposeFunction('codeAutomationExit', (code: number) => end(code));
      page.on('crash', () => {
        console.error('The page of the workbench crashed.');
        end(1);
      });
    });
    await page.exposeFunction('codeAutomationLog', (type: string, args: unknown[]) => {
      if (chatter.test(String(args[0]))) return;
      (type === 'error' || type === 'warn' ? console.error : console.log)(...args);
    });
    await page.goto(address);
    return await Promise.race([ended, gaveUp()]);
  } finally {
    await browser.close();
  }
}

async function gaveUp(): Promise<number> {
  await delay(limitMs, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
  console.error(stopping.signal.aborted ? 'Stopped.' : `The suite did not end within ${limitMs / 60_000} minutes.`);
  return 1;
}

function texts(value: unknown): string[] {
  return [value].flat().filter((each) => typeof each === 'string');
}

/** The workbench reaches the server's files under this authority. */
function remote(path: string): string {
  return `vscode-remote://remote${resolve(path)}`;
}
