import * as l10n from '@vscode/l10n';
import type { DerivedRunState } from '../../runs/state.ts';

const words: Readonly<Record<DerivedRunState, string>> = {
  preparing: l10n.t('preparing'),
  running: l10n.t('running'),
  paused: l10n.t('paused'),
  stopping: l10n.t('stopping'),
  finished: l10n.t('finished'),
  stopped: l10n.t('stopped'),
  failed: l10n.t('failed'),
  queued: l10n.t('queued'),
  'broken off': l10n.t('interrupted'),
};

/** What people read for a state. */
export function stateWord(state: DerivedRunState): string {
  return words[state];
}
