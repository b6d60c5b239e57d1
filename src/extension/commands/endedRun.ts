import * as l10n from '@vscode/l10n';
import { userError } from '../../protocol/errors.ts';
import { runTitle } from '../../protocol/runTitle.ts';
import type { StoredRun } from '../../runs/list.ts';
import { isOver } from '../../runs/state.ts';

/** Whether a run's folder may be renamed or deleted. */
export function hasEnded({ state }: StoredRun): boolean {
  return isOver(state);
}

/** Throws a user error if a run is still training. */
export function requireEnded(run: StoredRun): void {
  if (hasEnded(run)) return;
  const title = runTitle(run.record.name);
  throw userError(
    run.state === 'queued'
      ? l10n.t('{0} waits for its job; stop it first.', title)
      : l10n.t('{0} is still training; stop it first.', title),
  );
}
