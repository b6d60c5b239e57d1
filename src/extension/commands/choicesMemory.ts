import type * as vscode from 'vscode';
import type { DataFolders } from '../trainer/dataFolders.ts';
import { firstChoices, type FirstSettings, type TrainingChoices } from './trainingChoices.ts';

const choicesKey = 'trainingChoices';

/** The answers that are offered first: the last ones of the workspace, or of any. */
export function keptChoices(context: vscode.ExtensionContext, settings: FirstSettings): TrainingChoices {
  return firstChoices(context.workspaceState.get(choicesKey) ?? context.globalState.get(choicesKey), settings);
}

export async function rememberChoices(
  context: vscode.ExtensionContext,
  dataFolders: DataFolders,
  choices: TrainingChoices,
): Promise<void> {
  await context.workspaceState.update(choicesKey, choices);
  // What suits a sample says nothing of what the user trains elsewhere.
  if (choices.sample === undefined) await context.globalState.update(choicesKey, { ...choices, data: '' });
  await dataFolders.remember(choices.data);
}
