import * as l10n from '@vscode/l10n';
import { count, images, percent } from '../../charts/format.ts';
import type { FeatureMap } from '../../protocol/featureMap.ts';
import type { FeatureMapPanelToHost, FeatureMapPanelToPage, MapTest } from '../../protocol/featureMapPanel.ts';
import { busyLine } from '../components/busyLine.ts';
import { element } from '../components/element.ts';
import { setText } from '../components/setText.ts';
import { button, dropdown, labelled } from '../components/toolkit.ts';
import { whenChanged } from '../components/whenChanged.ts';
import { unsureBelow, type Verdict } from './groups.ts';
import { byClass, byHead, outcomeText, shownOfMap } from './mapTexts.ts';

type Of<Type extends FeatureMapPanelToPage['type']> = Extract<FeatureMapPanelToPage, { type: Type }>;

/** Value of the list's last entry, which asks for other features. */
const another = '…another';
/** Images without a place that are listed. */
const mostListed = 200;

export type HeaderState = {
  sources: Of<'sources'> | undefined;
  progress: Of<'progress'> | undefined;
  problem: string | undefined;
  map: FeatureMap | undefined;
  tests: readonly MapTest[];
  colorBy: string;
  verdicts: readonly (Verdict | undefined)[];
};

export type MapHeader = { element: HTMLElement; draw: (state: HeaderState) => void };

/** Which data, by whose features, coloured by what, and what the map can and cannot say. */
export function mapHeader(
  send: (message: FeatureMapPanelToHost) => void,
  onColorBy: (colorBy: string) => void,
): MapHeader {
  const title = element('h1');
  const features = dropdown(l10n.t('Features of'), (id) =>
    send(id === another ? { type: 'chooseSource' } : { type: 'source', id }),
  );
  const colors = dropdown(l10n.t('Color by'), onColorBy);
  const busy = busyLine(() => send({ type: 'cancel' }));
  const figures = element('p', { class: 'figures', role: 'status' });
  const about = element('p', { class: 'hint' });
  const leftOut = element('details');
  const error = element('p', { class: 'error-text', role: 'alert' });
  const again = button({ label: l10n.t('Try again'), onClick: () => send({ type: 'look' }) });
  const notice = element('div', { class: 'notice error' }, [error, again]);
  const tools = [labelled(l10n.t('Features of'), features.element), labelled(l10n.t('Color by'), colors.element)];
  const list = whenChanged((map: FeatureMap | undefined) => {
    const all = map?.leftOut ?? [];
    leftOut.hidden = all.length === 0;
    const more = all.length - mostListed;
    leftOut.replaceChildren(
      element('summary', {}, [all.length === 1 ? l10n.t('1 image has no place') : l10n.t('{0} images have no place', count(all.length))]), // prettier-ignore
      element('ul', {}, all.slice(0, mostListed).map(({ image, reason }) => element('li', {}, [`${image}: ${reason}`]))), // prettier-ignore
      ...(more > 0 ? [element('p', { class: 'hint' }, [l10n.t('and {0} more', count(more))])] : []),
    );
  });
  return {
    element: element('header', { class: 'top' }, [
      title,
      element('div', { class: 'toolbar' }, [...tools, busy.element]),
      figures,
      about,
      leftOut,
      notice,
    ]),
    draw: ({ sources, progress, problem, map, tests, colorBy, verdicts }) => {
      setText(title, sources?.label ?? '');
      const none = sources?.source === '' ? [{ value: '', label: l10n.t('Choose a network') }] : [];
      const offered = (sources?.sources ?? []).map(({ id, label, description }) => ({ value: id, label: description === '' ? label : `${label} – ${description}` })); // prettier-ignore
      features.update([...none, ...offered, { value: another, label: l10n.t('Another…') }], sources?.source ?? '');
      colors.update(
        [
          { value: byClass, label: l10n.t('Class') },
          { value: byHead, label: l10n.t('Errors of a new head') },
          ...tests.map((test) => ({ value: test.title, label: test.title })),
        ],
        colorBy,
      );
      busy.draw(progress);
      setText(figures, map ? `${images(map.images.length)} · ${outcomeText(verdicts)}` : '');
      const test = tests.find((each) => each.title === colorBy);
      setText(about, map ? aboutText(map, sources, test, verdicts) : '');
      list(map);
      const isCancelled =
        map === undefined && progress?.busy === false && sources !== undefined && sources.source !== '';
      notice.hidden = problem === undefined && !isCancelled;
      setText(error, problem ?? l10n.t('The map was not drawn.'));
    },
  };
}

function aboutText(
  map: FeatureMap,
  sources: Of<'sources'> | undefined,
  test: MapTest | undefined,
  verdicts: readonly (Verdict | undefined)[],
): string {
  const network = sources?.sources.find(({ id }) => id === sources.source)?.label ?? '';
  const whose = l10n.t('Places by the features of {0}: what lies together is alike to that network. Distances between far clusters mean little.', network); // prettier-ignore
  const judged = test
    ? l10n.t('Right and wrong by the checkpoint’s own test, which was of {0}.', shownOfMap(verdicts, map.images.length))
    : l10n.t('Right and wrong by a head that is fitted to all other images.');
  const unsure = l10n.t('Unsure: right, but with less than {0}.', percent(unsureBelow, 0));
  const knows = l10n.t('The network was trained on images of this folder, so it is right more often here than on new images.'); // prettier-ignore
  return [whose, judged, unsure, ...(sources?.isTrainedOnData === true ? [knows] : [])].join(' ');
}
