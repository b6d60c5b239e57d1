import * as vscode from 'vscode';
import type { startExtension as StartExtension } from './startExtension.ts';

type Manifest = {
  readonly contributes: {
    readonly commands: readonly { readonly command: string }[];
    readonly languageModelTools: readonly { readonly name: string }[];
  };
};

type Started = ReturnType<typeof StartExtension>;

/**
 * Registers the names of commands and of tools for language models, no more. What they do, views and panels are loaded right after, in a turn of
 * their own, or by the first command that comes before.
 */
export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel('Fivecrop', { log: true });
  let starting: Promise<Started> | undefined;
  const start = (): Promise<Started> => {
    // A bundle of its own: reading and compiling it takes longer than an activation may.
    starting ??= import('./startExtension.ts').then(({ startExtension }) => startExtension(context, log));
    return starting;
  };
  const { contributes } = context.extension.packageJSON as Manifest;
  const commands = contributes.commands.map(({ command }) =>
    vscode.commands.registerCommand(command, async (...args: unknown[]) => (await start()).runCommand(command, args)),
  );
  const tools = contributes.languageModelTools.map(({ name }) => {
    const tool = async () => (await start()).tool(name);
    return vscode.lm.registerTool<object>(name, {
      prepareInvocation: async (...call) => (await tool()).prepareInvocation?.(...call),
      invoke: async (...call) => (await tool()).invoke(...call),
    });
  });
  context.subscriptions.push(log, ...commands, ...tools);
  setImmediate(() => {
    start().catch((error: unknown) => log.error(error instanceof Error ? error : String(error)));
  });
}
