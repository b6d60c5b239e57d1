import { delimiter, join } from 'node:path';
import process from 'node:process';
import type * as vscode from 'vscode';
import { readSettings } from './settings.ts';

/** Where *Install TensorFlow GPU Runtime* puts its packages. */
export function tensorflowFolder(context: vscode.ExtensionContext): string {
  return join(context.globalStorageUri.fsPath, 'tensorflow');
}

/**
 * The environment of the trainer and the service process: Electron's executable acts as Node, nothing of the editor's
 * own Node options gets in, packages and CUDA's libraries that were installed into the extension's storage are found,
 * weights lie where the settings say, and the webhook of the settings is told of the end of a run.
 */
export function workerEnvironment(context: vscode.ExtensionContext): NodeJS.ProcessEnv {
  const { weightsFolder, weightsMirror, webhook } = readSettings();
  const inherited = Object.entries(process.env).filter(([name]) => !/^(VSCODE_|ELECTRON_|NODE_OPTIONS$)/.test(name));
  const modules = [join(tensorflowFolder(context), 'node_modules'), process.env['NODE_PATH']];
  return {
    ...Object.fromEntries(inherited),
    ELECTRON_RUN_AS_NODE: '1',
    FIVECROP_CUDA: process.env['FIVECROP_CUDA'] ?? join(context.globalStorageUri.fsPath, 'cuda'),
    NODE_PATH: modules.filter((path) => path !== undefined && path !== '').join(delimiter),
    ...(weightsFolder === undefined ? {} : { FIVECROP_WEIGHTS: weightsFolder }),
    ...(weightsMirror === undefined ? {} : { FIVECROP_MIRROR: weightsMirror }),
    ...(webhook === undefined ? {} : { FIVECROP_WEBHOOK: webhook }),
  };
}
