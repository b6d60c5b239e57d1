import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { cancelled, userError } from '../../protocol/errors.ts';
import { networkName } from '../../protocol/networkName.ts';
import { runTitle } from '../../protocol/runTitle.ts';
import type { Parts } from '../parts.ts';
import type { StoredRun } from '../../runs/list.ts';
import { runDescription } from '../views/formatRun.ts';
import { nodeFrom } from '../views/treeNodes.ts';
import { inLabel } from '../plainText.ts';

/** A panel that opens late takes the focus: the question stays. Text typed finds a run by all that its row says. */
const staying = { ignoreFocusOut: true, matchOnDescription: true, matchOnDetail: true };

export interface RunQuestion {
  /** What the list asks. */
  readonly title: string;
  /** The runs that the command is for. */
  readonly suits: (run: StoredRun) => boolean;
  /** What to say where there is none. */
  readonly none: string;
}

/** A question that any run answers. */
export function anyRun(title: string): RunQuestion {
  return {
    title,
    suits: () => true,
    none: l10n.t('There are no runs here yet; Fivecrop: Train Model starts one.'),
  };
}

interface RunItem extends vscode.QuickPickItem {
  readonly run: StoredRun;
}

/**
 * The run that a command is about: that of the tree's row or the folder that it was called with, else the only one there
 * is, else the one that the user picks. Throws a user error where there is none.
 */
export async function chooseRun(
  parts: Pick<Parts, 'runs'>,
  argument: unknown,
  question: RunQuestion,
): Promise<StoredRun> {
  await parts.runs.load();
  const named = namedRun(parts, argument);
  if (named !== undefined) return named;
  const runs = parts.runs.runs.filter(question.suits);
  const [only, ...others] = runs;
  if (only === undefined) throw userError(question.none);
  if (others.length === 0) return only;
  const { title } = question;
  const picked = await vscode.window.showQuickPick(runs.map(itemOf), { title, ...staying });
  if (picked === undefined) throw cancelled();
  return picked.run;
}

/** The runs of a selection of several rows, or those that the user ticks. */
export async function chooseRuns(
  parts: Pick<Parts, 'runs'>,
  argument: unknown,
  selection: unknown,
  question: RunQuestion,
): Promise<readonly StoredRun[]> {
  await parts.runs.load();
  const selected = (Array.isArray(selection) ? selection : []).flatMap((node) => namedRun(parts, node) ?? []);
  if (new Set(selected).size > 1) return [...new Set(selected)];
  const runs = parts.runs.runs.filter(question.suits);
  if (runs.length < 2) throw userError(question.none);
  const first = namedRun(parts, argument);
  const items = runs.map((run, index) => ({ ...itemOf(run), picked: first === undefined ? index < 2 : run === first }));
  const picked = await vscode.window.showQuickPick(items, {
    title: question.title,
    canPickMany: true,
    ...staying,
  });
  if (picked === undefined || picked.length === 0) throw cancelled();
  return picked.map(({ run }) => run);
}

function namedRun({ runs }: Pick<Parts, 'runs'>, argument: unknown): StoredRun | undefined {
  if (typeof argument === 'string') return runs.get(argument);
  const node = nodeFrom(argument);
  return node?.kind === 'run' || node?.kind === 'checkpoint' ? runs.get(node.folder) : undefined;
}

function itemOf(run: StoredRun): RunItem {
  const { name, config } = run.record;
  const detail = `${networkName(config.network)} · ${config.method} · ${config.data}`;
  return { label: inLabel(runTitle(name)), description: runDescription(run), detail: inLabel(detail), run };
}
