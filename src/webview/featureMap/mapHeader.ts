import * as l10n from '@vscode/l10n';
import { count, images, percent } from '../../charts/format.ts';
import type { FeatureMap } from '../../protocol/featureMap.ts';
import type { FeatureMapPanelToHost, MapTest } from '../../protocol/featureMapPanel.ts';
import type { FeatureProgress, FeatureSources } from '../../protocol/featurePanel.ts';
import { element } from '../components/element.ts';
import { featureControls } from '../components/featureControls.ts';
import { setText } from '../components/setText.ts';
import { dropdown, labelled } from '../components/toolkit.ts';
import { whenChanged } from '../components/whenChanged.ts';
import { unsureBelow, type Verdict } from './groups.ts';
import { byClass, byHead, outcomeText, shownOfMap } from './mapTexts.ts';

/** Images without a place that are listed. */
const mostListed = 200;

export type HeaderState = {
  sources: FeatureSources | undefined;
  progress: FeatureProgress | undefined;
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
  const controls = featureControls(send);
  const colors = dropdown(l10n.t('Color by'), onColorBy);
  const figures = element('p', { class: 'figures', role: 'status' });
  const about = element('p', { class: 'hint' });
  const leftOut = element('details');
  const tools = [controls.features, labelled(l10n.t('Color by'), colors.element), controls.busy];
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
      element('div', { class: 'toolbar' }, tools),
      figures,
      about,
      leftOut,
      controls.notice,
    ]),
    draw: ({ sources, progress, problem, map, tests, colorBy, verdicts }) => {
      setText(title, sources?.data ?? '');
      colors.update(
        [
          { value: byClass, label: l10n.t('Class') },
          { value: byHead, label: l10n.t('Errors of a new head') },
          ...tests.map((test) => ({ value: test.title, label: test.title })),
        ],
        colorBy,
      );
      setText(figures, map ? `${images(map.images.length)} · ${outcomeText(verdicts)}` : '');
      const test = tests.find((each) => each.title === colorBy);
      setText(about, map ? aboutText(map, sources, test, verdicts) : '');
      list(map);
      controls.draw({ sources, progress, problem });
    },
  };
}

function aboutText(
  map: FeatureMap,
  sources: FeatureSources | undefined,
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
