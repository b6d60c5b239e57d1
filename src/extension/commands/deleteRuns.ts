import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { cancelled, messageOf, userError } from '../../protocol/errors.ts';
import { isEvaluationOf } from '../../protocol/evaluation.ts';
import { runFiles } from '../../protocol/runRecord.ts';
import { runTitle } from '../../protocol/runTitle.ts';
import { visible } from '../../protocol/visibleText.ts';
import { sweepResumeFiles } from '../../runs/checkpointFiles.ts';
import { tryLock } from '../../runs/lock.ts';
import { isSweepLive } from '../../runs/storedSweep.ts';
import { checkpointTitle } from '../panels/checkpointTitle.ts';
import type { Parts } from '../parts.ts';
import { nameOfSweep, runsOf } from '../trainer/sweepCatalogue.ts';
import type { CheckpointRows } from '../views/checkpointsView.ts';
import { isByKey, nodeFrom, type CheckpointsNode, type DataNode } from '../views/treeNodes.ts';
import { chooseRun } from './chooseRun.ts';
import { registerCommand } from './registerCommand.ts';
import { checkpointCount, runCount, sweepCount } from '../counts.ts';
import { hasEnded, requireEnded } from './endedRun.ts';

type DeleteParts = Pick<Parts, 'log' | 'runs' | 'trainers'> & { readonly rows: CheckpointRows };

/** *Delete* and *Remove from Queue*. */
export function registerDeletingRuns(parts: DeleteParts): vscode.Disposable {
  const { log, trainers } = parts;
  return vscode.Disposable.from(
    registerCommand('fivecrop.deleteRun', log, (argument: unknown, selection: unknown) =>
      remove(parts, argument, selection),
    ),
    registerCommand('fivecrop.removeFromQueue', log, async (argument: unknown) => {
      const node = nodeFrom(argument);
      if (node?.kind === 'queued') await trainers.dequeue(node.entry.id);
    }),
  );
}

const toDelete = {
  title: l10n.t('Delete which run?'),
  suits: hasEnded,
  none: l10n.t('There is no run to delete: none is here, or all are still training.'),
};

/** What is deleted: the folder of a run or a sweep, or a checkpoint's file. */
interface Target {
  readonly path: string;
  readonly title: string;
  readonly what: 'run' | 'sweep' | 'checkpoint';
}

async function remove(parts: DeleteParts, argument: unknown, selection: unknown): Promise<void> {
  const { runs, trainers, rows } = parts;
  const nodes = isByKey(argument)
    ? await rows.focused()
    : (Array.isArray(selection) && selection.length > 1 ? selection : [argument]).flatMap(
        (each: unknown) => nodeFrom(each) ?? [],
      );
  for (const node of nodes) if (node.kind === 'queued') await trainers.dequeue(node.entry.id);
  const targets = targetsOf(nodes, runs);
  if (targets.length === 0) {
    if (nodes.length > 0 || isByKey(argument)) return;
    targets.push(runTarget((await chooseRun(parts, argument, toDelete)).folder));
  }
  for (const { path } of targets) {
    const run = runs.get(path);
    if (run !== undefined) requireEnded(run);
    const sweep = runs.sweeps.get(path);
    if (sweep && isSweepLive(sweep.state))
      throw userError(l10n.t('{0} is still running; stop it first.', nameOfSweep(sweep)));
  }
  await askToDelete(targets);
  try {
    await moveToTrash(targets);
  } finally {
    await runs.refresh();
  }
}

/** A checkpoint goes with its run where both are meant, and the runs of a sweep with it. */
function targetsOf(nodes: readonly (CheckpointsNode | DataNode)[], { get, sweeps }: DeleteParts['runs']): Target[] {
  const meant = nodes.flatMap((node) => (node.kind === 'sweep' ? (sweeps.get(node.folder) ?? []) : []));
  const trials = meant.flatMap(runsOf).filter((folder) => get(folder) !== undefined);
  const folders = nodes.flatMap((node) => (node.kind === 'run' || node.kind === 'unreadable' ? [node.folder] : []));
  const all = [...new Set([...trials, ...folders])];
  const checkpoints = nodes.flatMap((node) =>
    node.kind === 'checkpoint' && !all.includes(node.folder) ? [node.path] : [],
  );
  return [
    ...all.map(runTarget),
    // After its runs: what is left if one of these cannot be deleted is still a sweep.
    ...meant.map((sweep): Target => ({ path: sweep.folder, title: nameOfSweep(sweep), what: 'sweep' })),
    ...checkpoints.map((path): Target => ({ path, title: checkpointTitle(path), what: 'checkpoint' })),
  ];
}

function runTarget(folder: string): Target {
  return { path: folder, title: runTitle(basename(folder)), what: 'run' };
}

/** `sgd`, `3 runs`, `2 runs and 1 checkpoint`, `1 sweep and 12 runs`. */
function namesOf(targets: readonly Target[]): string {
  const [first] = targets;
  if (first !== undefined && targets.length === 1) return first.title;
  const count = (what: Target['what'], words: (count: number) => string) => {
    const found = targets.filter((target) => target.what === what).length;
    return found === 0 ? [] : [words(found)];
  };
  const [one = '', ...others] = [
    ...count('sweep', sweepCount),
    ...count('run', runCount),
    ...count('checkpoint', checkpointCount),
  ];
  return others.reduce((names, next) => l10n.t('{0} and {1}', names, next), one);
}

async function askToDelete(targets: readonly Target[]): Promise<void> {
  const listed = targets.length === 1 ? [] : [targets.map(({ title }) => title).join('\n'), ''];
  const detail = [...listed, l10n.t('Moved to the Trash if available.')].join('\n');
  const question = visible(l10n.t('Delete {0}?', namesOf(targets)));
  const remove = l10n.t('Delete');
  const answer = await vscode.window.showWarningMessage(question, { modal: true, detail: detail }, remove);
  if (answer !== remove) throw cancelled();
}

/** Where the first file cannot be moved to the Trash, asks once whether all shall go for good. */
async function moveToTrash(targets: readonly Target[]): Promise<void> {
  let useTrash = true;
  for (const target of targets) {
    for (const path of filesOf(target)) {
      const uri = vscode.Uri.file(path);
      try {
        await vscode.workspace.fs.delete(uri, { recursive: true, useTrash });
      } catch (error) {
        if (!useTrash) throw userError(l10n.t('{0} could not be deleted: {1}.', path, messageOf(error)), error);
        await askToDeleteForGood(targets.slice(targets.indexOf(target)), error);
        useTrash = false;
        await vscode.workspace.fs.delete(uri, { recursive: true, useTrash });
      }
    }
    if (target.what === 'checkpoint') await sweepAfterDeletion(dirname(target.path));
  }
}

async function askToDeleteForGood(targets: readonly Target[], reason: unknown): Promise<void> {
  const question = visible(l10n.t('Delete {0} permanently?', namesOf(targets)));
  const detail = l10n.t('The Trash is not available: {0}\nThis cannot be undone.', messageOf(reason));
  const remove = l10n.t('Delete Permanently');
  const answer = await vscode.window.showWarningMessage(question, { modal: true, detail }, remove);
  if (answer !== remove) throw cancelled();
}

/** What a deleted checkpoint's resume needed goes too, unless another checkpoint needs it, or a run that trains writes there. */
async function sweepAfterDeletion(checkpoints: string): Promise<void> {
  const lock = await tryLock(join(dirname(checkpoints), runFiles.lock)).catch(() => undefined);
  if (lock !== undefined) await sweepResumeFiles(checkpoints).finally(lock.release);
}

/** A checkpoint goes with the files beside it. */
function filesOf({ path, what }: Target): string[] {
  if (what !== 'checkpoint') return [path];
  const folder = dirname(path);
  const evaluations = readdirSync(folder).filter((name) => isEvaluationOf(basename(path), name));
  return [path, ...evaluations.map((name) => join(folder, name))];
}
