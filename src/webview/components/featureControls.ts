import * as l10n from '@vscode/l10n';
import type { FeaturePanelToHost, FeatureSources } from '../../protocol/featurePanel.ts';
import { busyLine } from './busyLine.ts';
import { element } from './element.ts';
import type { FeaturePage } from './featurePage.ts';
import { setText } from './setText.ts';
import { button, dropdown, labelled } from './toolkit.ts';

/** Value of the list's last entry, which asks for other features. */
const another = '…another';

export type FeatureControls = {
  /** Whose features are used, which another may be chosen for. */
  features: HTMLElement;
  /** What is going on, and *Cancel*. */
  busy: HTMLElement;
  /** Why there are no new figures, and *Try again*. */
  notice: HTMLElement;
  draw: (page: Pick<FeaturePage<FeatureSources>, 'sources' | 'progress' | 'problem'>) => void;
};

/** What every page has at its top that judges images by a network's features. */
export function featureControls(send: (message: FeaturePanelToHost) => void): FeatureControls {
  const features = dropdown(l10n.t('Features of'), (id) =>
    send(id === another ? { type: 'chooseSource' } : { type: 'source', id }),
  );
  const busy = busyLine(() => send({ type: 'cancel' }));
  const error = element('p', { class: 'error-text', role: 'alert' });
  const again = button({ label: l10n.t('Try again'), onClick: () => send({ type: 'look' }) });
  const notice = element('div', { class: 'notice error' }, [error, again]);
  return {
    features: labelled(l10n.t('Features of'), features.element),
    busy: busy.element,
    notice,
    draw: ({ sources, progress, problem }) => {
      const none = sources?.source === '' ? [{ value: '', label: l10n.t('Choose a network') }] : [];
      const offered = (sources?.sources ?? []).map(({ id, label, description }) => ({ value: id, label: description === '' ? label : `${label} – ${description}` })); // prettier-ignore
      features.update([...none, ...offered, { value: another, label: l10n.t('Another…') }], sources?.source ?? '');
      busy.draw(progress);
      notice.hidden = problem === undefined;
      setText(error, problem ?? '');
    },
  };
}
