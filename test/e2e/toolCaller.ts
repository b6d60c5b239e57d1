import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { existsSync } from 'node:fs';
import { until } from './until.ts';
import { openFolder, runCommand, type Workbench } from './workbench.ts';

/** What a tool of the editor's language models answered: its parts, or why it was not done. */
export type ToolAnswer = {
  texts?: readonly string[];
  /** Their types, such as `image/jpeg`. */
  pictures?: readonly string[];
  error?: string;
};

/** Calls tools of the editor's language models in a workbench, as an extension without a chat does. */
export type ToolCaller = {
  /** Begins a call. The answer comes once the question, if there is one, is answered in the window. */
  call: (name: string, input: object) => Promise<{ answer: () => Promise<ToolAnswer> }>;
  remove: () => Promise<void>;
};

const title = 'Tests: Call Tool';

/** Loads the window anew with an extension under development that calls tools. */
export async function openToolCaller(workbench: Workbench, folder: string): Promise<ToolCaller> {
  const extension = await mkdtemp(join(tmpdir(), 'fivecrop-caller-'));
  const manifest = {
    ...{ name: 'caller', publisher: 'tests', version: '1.0.0', engines: { vscode: '*' }, main: './main.js' },
    contributes: { commands: [{ command: 'tests.callTool', title: 'Call Tool', category: 'Tests' }] },
  };
  await writeFile(join(extension, 'package.json'), JSON.stringify(manifest));
  await writeFile(join(extension, 'main.js'), source(extension));
  await openFolder(workbench, folder, [['extensionDevelopmentPath', `vscode-remote://remote${extension}`]]);
  await mkdir(join(extension, 'answers'));
  let count = 0;
  return {
    call: async (name, input) => {
      const file = join(extension, 'answers', `${count++}.json`);
      await writeFile(join(extension, 'call.json'), JSON.stringify({ name, input, file }));
      await runCommand(workbench, title);
      const answer = async () => {
        await until(`${name} answers`, () => existsSync(file));
        return JSON.parse(await readFile(file, 'utf8')) as ToolAnswer;
      };
      return { answer };
    },
    remove: () => rm(extension, { recursive: true }),
  };
}

function source(extension: string): string {
  return `
    const { readFileSync, renameSync, writeFileSync } = require('node:fs');
    const vscode = require('vscode');
    async function answerTo({ name, input }) {
      try {
        const { content } = await vscode.lm.invokeTool(name, { input, toolInvocationToken: undefined });
        return {
          texts: content.filter((part) => part instanceof vscode.LanguageModelTextPart).map(({ value }) => value),
          pictures: content.filter((part) => part instanceof vscode.LanguageModelDataPart).map(({ mimeType }) => mimeType),
        };
      } catch (error) {
        return { error: String(error) };
      }
    }
    exports.activate = ({ subscriptions }) => {
      subscriptions.push(vscode.commands.registerCommand('tests.callTool', async () => {
        const call = JSON.parse(readFileSync(${JSON.stringify(join(extension, 'call.json'))}, 'utf8'));
        writeFileSync(call.file + '.part', JSON.stringify(await answerTo(call)));
        renameSync(call.file + '.part', call.file);
      }));
    };`;
}
