import * as vscode from 'vscode';

type Manifest = { readonly contributes: { readonly commands: readonly { readonly command: string }[] } };

type Run = (command: string, args: readonly unknown[]) => unknown;

/**
 * Registers the names of the commands, no more. What they do, views and panels are loaded right after, in a turn of
 * their own, or by the first command that comes before.
 */
export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel('Fivecrop', { log: true });
  let starting: Promise<Run> | undefined;
  const start = (): Promise<Run> => {
    // A bundle of its own: reading and compiling it takes longer than an activation may.
    starting ??= import('./startExtension.ts').then(({ startExtension }) => startExtension(context, log));
    return starting;
  };
  const { contributes } = context.extension.packageJSON as Manifest;
  const commands = contributes.commands.map(({ command }) =>
    vscode.commands.registerCommand(command, async (...args: unknown[]) => (await start())(command, args)),
  );
  context.subscriptions.push(log, ...commands);
  setImmediate(() => {
    start().catch((error: unknown) => log.error(error instanceof Error ? error : String(error)));
  });
}
