import { rename } from 'node:fs/promises';
import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { cancelled, messageOf, userError } from '../../protocol/errors.ts';
import { isEvaluationOf } from '../../protocol/evaluation.ts';
import { runFiles } from '../../protocol/runRecord.ts';
import { sweepResumeFiles } from '../../runs/checkpointFiles.ts';
import { tryLock } from '../../runs/lock.ts';
import type { Parts } from '../parts.ts';
import type { DataFolders } from '../trainer/dataFolders.ts';
import type { StoredRun } from '../../runs/list.ts';
import { writeRunRecord } from '../../runs/record.ts';
import { isLive } from '../../runs/state.ts';
import { nameProblem } from '../../runs/name.ts';
import { nodeFrom } from '../views/treeNodes.ts';
import { chooseRun } from './chooseRun.ts';
import { registerCommand } from './registerCommand.ts';
import { visible } from '../../protocol/visibleText.ts';

type ChangeParts = Pick<Parts, 'log' | 'runs' | 'trainers' | 'panels'> & { readonly dataFolders: DataFolders };

/** *Rename*, *Delete* and what takes rows out of lists. */
export function registerChangingRuns(parts: ChangeParts): vscode.Disposable {
  const { log, trainers, dataFolders } = parts;
  return vscode.Disposable.from(
    registerCommand('fivecrop.renameRun', log, (argument: unknown) => renameRun(parts, argument)),
    registerCommand('fivecrop.deleteRun', log, (argument: unknown, selection: unknown) =>
      remove(parts, argument, selection),
    ),
    registerCommand('fivecrop.removeFromQueue', log, async (argument: unknown) => {
      const node = nodeFrom(argument);
      if (node?.kind === 'queued') await trainers.dequeue(node.entry.id);
    }),
    registerCommand('fivecrop.forgetData', log, async (argument: unknown) => {
      const node = nodeFrom(argument);
      if (node?.kind === 'data') await dataFolders.forget(node.folder);
    }),
  );
}

const ended = (what: string) => ({
  placeHolder: `Which run to ${what}?`,
  suits: (run: StoredRun) => !isLive(run.state),
  none: `There is no run to ${what}: none is here, or all are still training.`,
});

async function renameRun({ runs, panels }: ChangeParts, argument: unknown): Promise<void> {
  const run = await chooseRun({ runs }, argument, ended('rename'));
  requireEnded(run);
  const parent = dirname(run.folder);
  const name = await vscode.window.showInputBox({
    ignoreFocusOut: true,
    title: visible(`Rename ${run.record.name}`),
    value: run.record.name,
    validateInput: (value) => nameProblem(value, parent, basename(run.folder)),
  });
  if (name === undefined || name === run.record.name) throw cancelled();
  const folder = join(parent, name);
  await rename(run.folder, folder).catch((error: unknown) => {
    throw userError(`${run.record.name} could not be renamed: ${messageOf(error)}.`, error);
  });
  const record = { ...run.record, name, updated: new Date().toISOString() };
  await writeRunRecord(folder, record);
  await runs.refresh();
  panels.runRenamed(run.folder, folder);
}

async function remove(parts: ChangeParts, argument: unknown, selection: unknown): Promise<void> {
  const nodes = (Array.isArray(selection) && selection.length > 1 ? selection : [argument]).map(nodeFrom);
  const targets = nodes.flatMap((node) => {
    if (node?.kind === 'checkpoint') return [node.path];
    return node?.kind === 'run' || node?.kind === 'unreadable' ? [node.folder] : [];
  });
  if (targets.length === 0) targets.push((await chooseRun(parts, argument, ended('delete'))).folder);
  for (const target of targets) {
    const run = parts.runs.get(target);
    if (run !== undefined) requireEnded(run);
  }
  await askToDelete(targets);
  for (const target of targets) {
    for (const path of filesOf(target)) await moveToBin(path);
    if (target.endsWith('.safetensors')) await sweepAfterDeletion(dirname(target));
  }
  await parts.runs.refresh();
}

/** What a deleted checkpoint's resume needed goes too, unless another checkpoint needs it, or a run that trains writes there. */
async function sweepAfterDeletion(checkpoints: string): Promise<void> {
  const lock = await tryLock(join(dirname(checkpoints), runFiles.lock)).catch(() => undefined);
  if (lock !== undefined) await sweepResumeFiles(checkpoints).finally(lock.release);
}

/** A checkpoint goes with the files beside it. */
function filesOf(path: string): string[] {
  if (!path.endsWith('.safetensors')) return [path];
  const folder = dirname(path);
  const evaluations = readdirSync(folder).filter((name) => isEvaluationOf(basename(path), name));
  return [path, ...evaluations.map((name) => join(folder, name))];
}

async function askToDelete(targets: readonly string[]): Promise<void> {
  const [first = ''] = targets;
  const what = targets.length === 1 ? basename(first) : `${targets.length} runs and checkpoints`;
  const detail = 'It goes to the bin of the machine that it is on, where that has one.';
  const move = 'Move to Bin';
  const answer = await vscode.window.showWarningMessage(visible(`Delete ${what}?`), { modal: true, detail }, move);
  if (answer !== move) throw cancelled();
}

async function moveToBin(path: string): Promise<void> {
  const uri = vscode.Uri.file(path);
  try {
    await vscode.workspace.fs.delete(uri, { recursive: true, useTrash: true });
  } catch (error) {
    const forGood = 'Delete for Good';
    const detail = `It cannot be moved to a bin here: ${messageOf(error)}`;
    const question = visible(`Delete ${basename(path)} for good?`);
    if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, forGood)) !== forGood) {
      throw cancelled();
    }
    await vscode.workspace.fs.delete(uri, { recursive: true, useTrash: false });
  }
}

function requireEnded({ state, record }: StoredRun): void {
  if (isLive(state)) throw userError(`${record.name} is still training; stop it first.`);
}
