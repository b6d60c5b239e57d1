import * as l10n from '@vscode/l10n';
import type { DryRunPanelToHost } from '../../protocol/dryRunPanel.ts';
import { busyLine } from '../components/busyLine.ts';
import { element } from '../components/element.ts';
import { setText } from '../components/setText.ts';
import { button, setDisabled } from '../components/toolkit.ts';
import type { Known } from './known.ts';

export type DryRunHeader = { element: HTMLElement; draw: (known: Known) => void };

/** What would be trained, and what can be found out of it. */
export function dryRunHeader(send: (message: DryRunPanelToHost) => void): DryRunHeader {
  const title = element('h1');
  const settings = element('p', { class: 'hint' });
  const busy = busyLine(() => send({ type: 'cancel' }));
  const error = element('p', { class: 'notice error', role: 'alert' });
  const back = button({
    label: l10n.t('Back to Start Training'),
    primary: true,
    onClick: () => send({ type: 'back' }),
  });
  const finders = [
    button({ label: l10n.t('Find learning rate'), onClick: () => send({ type: 'rate' }) }),
    button({ label: l10n.t('Estimate time and memory'), onClick: () => send({ type: 'estimate' }) }),
    button({ label: l10n.t('Show samples'), onClick: () => send({ type: 'samples', epoch: 0, batch: 0 }) }),
  ];
  return {
    element: element('header', { class: 'top' }, [
      title,
      settings,
      element('div', { class: 'toolbar' }, [back, ...finders, busy.element]),
      error,
    ]),
    draw: ({ setup, progress, error: failure }) => {
      setText(title, setup?.title ?? '');
      setText(settings, setup?.settings ?? '');
      busy.draw(progress);
      for (const finder of finders) setDisabled(finder, progress?.busy === true);
      error.hidden = failure === undefined;
      setText(error, failure?.message ?? '');
    },
  };
}
