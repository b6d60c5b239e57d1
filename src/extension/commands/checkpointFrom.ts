import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { cancelled, userError } from '../../protocol/errors.ts';
import { runTitle } from '../../protocol/runTitle.ts';
import { chooseRunCheckpoint } from '../panels/chooseSource.ts';
import { savedCheckpoint } from '../../runs/checkpointFiles.ts';
import type { Parts } from '../parts.ts';
import { nodeFrom } from '../views/treeNodes.ts';
import { chooseRun, type RunQuestion } from './chooseRun.ts';

/**
 * The checkpoint that a command is about: that of the tree's row or the file that it was called with, of a run's row the
 * best one; else the one that the user picks. Throws a user error where there is none, and a cancellation.
 */
export async function checkpointFrom(
  parts: Pick<Parts, 'runs'>,
  argument: unknown,
  question: Pick<RunQuestion, 'title' | 'none'>,
): Promise<string> {
  const node = nodeFrom(argument);
  if (node?.kind === 'checkpoint') return node.path;
  if (argument instanceof vscode.Uri) return argument.fsPath;
  const run = await chooseRun(parts, argument, {
    ...question,
    suits: ({ folder }) => savedCheckpoint(folder) !== undefined,
  });
  if (node?.kind !== 'run') return (await chooseRunCheckpoint(run.folder, runTitle(run.record.name))) ?? giveUp();
  const saved = savedCheckpoint(run.folder);
  if (saved !== undefined) return saved;
  throw userError(
    l10n.t('{0} has saved no checkpoint yet; it does at its first validation.', runTitle(run.record.name)),
  );
}

function giveUp(): never {
  throw cancelled();
}
