import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeZip } from '../unit/archives/writeZip.ts';
import { until } from './until.ts';
import { runCommand, type Workbench } from './workbench.ts';

/** What a tool of the editor's language models answered: its parts, or why it was not done. */
export type ToolAnswer = {
  texts?: readonly string[];
  /** Their types, such as `image/jpeg`. */
  pictures?: readonly string[];
  error?: string;
};

/** Calls tools of the editor's language models in a workbench, as an extension without a chat does. */
export type ToolCaller = {
  /** The package of an extension that calls them, to be installed in the workbench. */
  vsix: string;
  /** Begins a call. The answer comes once the question, if there is one, is answered in the window. */
  call: (workbench: Workbench, name: string, input: object) => Promise<{ answer: () => Promise<ToolAnswer> }>;
  remove: () => Promise<void>;
};

export async function createToolCaller(): Promise<ToolCaller> {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-caller-'));
  const manifest = {
    ...{ name: 'caller', publisher: 'tests', version: '1.0.0', engines: { vscode: '^1.100.0' }, main: './main.js' },
    contributes: { commands: [{ command: 'tests.callTool', title: 'Call Tool', category: 'Tests' }] },
  };
  const vsix = join(folder, 'caller.vsix');
  const files = { 'extension/package.json': JSON.stringify(manifest), 'extension/main.js': source(folder) };
  await writeFile(
    vsix,
    writeZip(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, Buffer.from(text)]))),
  );
  let count = 0;
  return {
    vsix,
    call: async (workbench, name, input) => {
      const file = join(folder, `answer-${count++}.json`);
      await writeFile(join(folder, 'call.json'), JSON.stringify({ name, input, file }));
      await runCommand(workbench, 'Tests: Call Tool');
      const answer = async () => {
        await until(`${name} answers`, () => existsSync(file));
        return JSON.parse(await readFile(file, 'utf8')) as ToolAnswer;
      };
      return { answer };
    },
    remove: () => rm(folder, { recursive: true }),
  };
}

function source(folder: string): string {
  return `
    const { readFileSync, renameSync, writeFileSync } = require('node:fs');
    const vscode = require('vscode');
    async function answerTo({ name, input }) {
      try {
        const { content } = await vscode.lm.invokeTool(name, { input, toolInvocationToken: undefined });
        return {
          texts: content.flatMap(({ value }) => value ?? []),
          pictures: content.flatMap(({ mimeType }) => mimeType ?? []),
        };
      } catch (error) {
        return { error: String(error) };
      }
    }
    exports.activate = ({ subscriptions }) => {
      subscriptions.push(vscode.commands.registerCommand('tests.callTool', async () => {
        const call = JSON.parse(readFileSync(${JSON.stringify(join(folder, 'call.json'))}, 'utf8'));
        writeFileSync(call.file + '.part', JSON.stringify(await answerTo(call)));
        renameSync(call.file + '.part', call.file);
      }));
    };`;
}
