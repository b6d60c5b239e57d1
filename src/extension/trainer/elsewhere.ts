import * as l10n from '@vscode/l10n';
import type { RunRecord } from '../../protocol/runRecord.ts';
import { runTitle } from '../../protocol/runTitle.ts';
import { isElsewhere } from '../../runs/owner.ts';
import { isLive } from '../../runs/state.ts';

/** Why a live run can only be looked at, as a sentence: it trains where this machine reaches no process. Undefined if not. */
export function elsewhereRefusal({ name, state, process: owner }: RunRecord): string | undefined {
  if (owner === undefined || !isLive(state) || !isElsewhere(owner)) return undefined;
  const title = runTitle(name);
  return owner.host === undefined
    ? l10n.t('{0} trains on another machine or in another container: pause or stop it there.', title)
    : l10n.t('{0} trains on another machine or in another container ({1}): pause or stop it there.', title, owner.host);
}
