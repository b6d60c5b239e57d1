import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import * as vscode from 'vscode';
import type { CropCount } from '../protocol/serviceProtocol.ts';
import {
  deviceChoices,
  engineChoices,
  type Precision,
  precisions,
  type TrainingConfig,
} from '../protocol/trainingConfig.ts';

/** The settings of package.json, as the code uses them: paths absolute, empty ones left out. */
export interface Settings {
  readonly defaultNetwork: string;
  readonly engine: TrainingConfig['engine'];
  readonly device: TrainingConfig['device'];
  readonly batchSize: number;
  readonly cacheMegabytes: number;
  readonly weightsFolder?: string;
  /** A folder or an http(s) address. */
  readonly weightsMirror?: string;
  /** An http(s) address that is told of the end of a run. */
  readonly webhook?: string;
  readonly keepTraining: boolean;
  readonly crops: CropCount;
  /** What images are classified in. */
  readonly precision: Precision;
}

/** What is set now. A value that no version of ours knows is taken for the default. */
export function readSettings(): Settings {
  const configuration = vscode.workspace.getConfiguration('fivecrop');
  const weightsFolder = expandHome(configuration.get('weightsFolder', '').trim());
  const webhook = configuration.get('webhook', '').trim();
  const weightsMirror = expandHome(configuration.get('weightsMirror', '').trim());
  return {
    defaultNetwork: configuration.get('defaultNetwork', 'densenet169'),
    engine: oneOf(engineChoices, configuration.get('engine')),
    device: oneOf(deviceChoices, configuration.get('device')),
    batchSize: configuration.get('batchSize', 32),
    cacheMegabytes: configuration.get('imageCacheMegabytes', 2048),
    ...(weightsFolder === '' ? {} : { weightsFolder: inWorkspace(weightsFolder) }),
    ...(weightsMirror === '' ? {} : { weightsMirror: placeOf(weightsMirror) }),
    ...(webhook === '' ? {} : { webhook }),
    keepTraining: configuration.get('keepTrainingWhenWindowCloses', true),
    crops: configuration.get<number>('crops') === 1 ? 1 : 5,
    precision: oneOf(precisions, configuration.get('predictionPrecision')),
  };
}

/** Sets a setting where it counts: in the workspace if it is set there, else for the user. */
export async function updateSetting(name: string, value: string): Promise<void> {
  const settings = vscode.workspace.getConfiguration('fivecrop');
  const isInWorkspace = settings.inspect(name)?.workspaceValue !== undefined;
  const { Global, Workspace } = vscode.ConfigurationTarget;
  await settings.update(name, value, isInWorkspace ? Workspace : Global);
}

/**
 * The folders in which runs are looked for, absolute; new ones go into the first. Where the setting is a relative path,
 * that is one in each folder of the workspace, so none where nothing is open.
 */
export function runsFolders(): readonly string[] {
  const folders = (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file');
  const set = (scope?: vscode.Uri) => {
    const value = vscode.workspace.getConfiguration('fivecrop', scope ?? null).get('runsFolder', 'runs');
    return expandHome(value.trim() === '' ? 'runs' : value.trim());
  };
  const found = folders.map(({ uri }) => (isAbsolute(set(uri)) ? set(uri) : join(uri.fsPath, set(uri))));
  if (folders.length === 0 && isAbsolute(set())) found.push(set());
  return [...new Set(found)];
}

function oneOf<Choice extends string>(choices: readonly [Choice, ...Choice[]], value: unknown): Choice {
  return choices.find((choice) => choice === value) ?? choices[0];
}

function expandHome(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path;
}

function inWorkspace(path: string): string {
  const root = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
  return isAbsolute(path) || root === undefined ? path : join(root, path);
}

function placeOf(mirror: string): string {
  return /^[a-z]+:\/\//i.test(mirror) ? mirror : inWorkspace(mirror);
}
